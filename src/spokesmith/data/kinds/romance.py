"""Texts in French, Spanish, Italian, Portuguese and Romanian; the gold stays in their language."""

from typing import TYPE_CHECKING

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

if TYPE_CHECKING:
    from spokesmith.data.kinds.pattern import Draw


def comma(draw: "Draw", low: str, high: str) -> str:
    """A decimal number with a comma."""
    places = len(high.partition(".")[2])
    return f"{draw.random.uniform(float(low), float(high)):.{places}f}".replace(".", ",")


def hour(draw: "Draw") -> str:
    """A time of day on 24 hours."""
    return f"{draw.random.randint(7, 21)}:{draw.random.choice(('00', '15', '20', '30', '45'))}"


KIND = Kind(
    name="romance",
    alone=True,
    words={
        "comma": comma,
        "hour": hour,
        "mois": listed("janvier, février, mars, avril, mai, juin, juillet, août, octobre"),
        "mes": listed("enero, febrero, marzo, abril, mayo, junio, julio, agosto, octubre"),
        "mese": listed("gennaio, febbraio, marzo, aprile, maggio, giugno, luglio, ottobre"),
        "lieu": listed("Rennes, Dijon, Nîmes, Tours, Brest, Angers, Grenoble, Limoges, Metz"),
        "lugar": listed("Burgos, Málaga, León, Cádiz, Vigo, Murcia, Toledo, Gijón, Zamora"),
        "luogo": listed("Bergamo, Parma, Lecce, Udine, Pisa, Modena, Siena, Trento, Ancona"),
        "sitio": listed("Braga, Évora, Faro, Aveiro, Viseu, Olinda, Santos, Niterói, Natal"),
        "objet": listed("la chaudière, l'ascenseur, le portail, la pompe, la fontaine, le serveur"),
        "motif": listed("""
        une grève des conducteurs, un câble coupé, la neige, un manque de pièces, une fuite d'eau
        une erreur de saisie
        """),
        "motivo": listed("""
        la lluvia, una avería del motor, la falta de personal, un corte de luz, un error de cálculo
        la huelga
        """),
        "causa": listed("""
        un guasto elettrico, il maltempo, lo sciopero, la nebbia, un errore di stampa
        una perdita d'acqua
        """),
        "razao": listed("""
        uma avaria no motor, falta de peças, a chuva forte, um erro de cálculo, a greve
        um corte de energia
        """),
        "plat": listed("gratin, soupe de courge, tarte aux prunes, ragoût, clafoutis, quiche"),
        "cosa": listed("sillas, mantas, cajas, botellas, libros, lámparas, mesas, cables"),
        "oggetto": listed("sedie, scatole, lampade, coperte, libri, bottiglie, tavoli"),
        "coisa": listed("cadeiras, caixas, livros, mantas, garrafas, mesas, lâmpadas"),
    },
    types=dict.fromkeys(("lieu", "lugar", "luogo", "sitio"), "place"),
    templates=(
        T(
            "<<gs:Le train de {h=hour} pour {lieu!destination} est {x=flip:retardé/supprimé}>> en"
            " raison de <<b:{motif}>>. <<n:{person!voyageuse} <<v:prend>> <<o:le car>> <<d:à"
            " {h2=hour}>> et arrivera avec {n=plain:20:95} minutes de retard.>>",
            "train=voyage/transports",
            "ongoing neutral routine/failure frustrating notable",
            layout="prose",
        ),
        T(
            "<<gs:{^objet} {x=flip:fonctionne de nouveau/ne fonctionne toujours pas}>>, facture"
            " {n=plain:1000:9999}, {a=comma:80.0:990.9} €. <<n:{person!technicien} <<v:reviendra>>"
            " le {d=plain:2:28} {mois} vers {h=hour}.>>",
            "réparation=maison/travaux",
            "success satisfying routine/ongoing frustrating routine",
            layout="prose",
            concepts="facture",
        ),
        T(
            "Recette : {plat#} pour {n=plain:2:8} personnes. <<s:{a=plain:100:900} g de farine,"
            " {b=plain:2:6} œufs et {c=comma:0.1:1.5} l de lait.>> Cuire {k=plain:15:75} minutes à"
            " {t=plain:150:230} °C, sans sucre.",
            "recette=cuisine/plats",
            layout="prose",
            gist="Recette : {plat} pour {n} personnes",
        ),
        T(
            "<<gs:{person!candidate} a obtenu {a=num:1000:9000} voix, {person2!candidat}"
            " {b=num:1000:9000}>>, à {lieu!commune}. Ni l'un ni l'autre n'<<n:a commenté le"
            " résultat.>>",
            "élection=politique/élections",
            "unknown neutral important",
            layout="prose",
            swap="person person2",
            narrative="Ni l'un ni l'autre n'a commenté le résultat.",
        ),
        T(
            "<<gs:{person!vendedora} ya no trabaja en {lugar!tienda}>>; desde el {d=plain:2:28} de"
            " {mes} atiende {person2!sustituto}. <<n:Quedan {n=plain:12:90} {cosa#} sin vender, a"
            " {a=comma:3.0:90.9} euros cada una.>>",
            "personal=comercio/tiendas",
            "unknown neutral routine",
            layout="prose",
            swap="person person2",
        ),
        T(
            "<<gs:El precio del agua sube de {a=comma:1.0:2.4} a {b=comma:2.5:4.9} euros por metro"
            " cúbico>> a causa de <<b:{motivo}>>, según {person!alcaldesa}. <<n:El pleno de"
            " {lugar!municipio} <<v:votó>> <<o:la medida>> <<d:el {d=plain:2:28} de {mes}>>.>>",
            "tarifas=ciudad/agua",
            "unknown concerning notable",
            layout="prose",
        ),
        T(
            "Acta: asistieron {n=plain:5:60} vecinos. <<gs:La obra de la fachada {x=flip:se"
            " aprobó/no se aprobó}>>, por {k=plain:3:30} votos contra {m=plain:3:30}."
            " <<n:{person!presidenta} <<v:pedirá>> <<o:otro presupuesto>> <<d:antes del {d=plain:2:28}"
            " de {mes}>>.>>",
            "acta=vecinos/reuniones",
            "success neutral notable/failure neutral notable",
            layout="prose",
            concepts="fachada",
        ),
        T(
            "<<gs:La partita tra {luogo!squadra di casa} e {luogo2!ospiti} è finita {a=plain:0:4} a"
            " {b=plain:0:4}>>. <<n:{person!attaccante} <<v:segnò>> <<o:il primo gol>> <<d:al minuto"
            " {n=plain:2:44}>>, poi fu ammonito.>>",
            "partita=sport/calcio",
            "unknown exciting routine",
            layout="prose",
            concepts="gol",
            swap="a b",
        ),
        T(
            "Consegna del {d=plain:2:28} {mese}: <<gs:ordinate {n=plain:20:90} {oggetto#}, arrivate"
            " {m=plain:2:19}>>. Colpa di <<b:{causa}>>, dice {person!autista}. <<n:Il resto partirà"
            " da {luogo!magazzino} tra {k=plain:2:9} giorni.>>",
            "consegna=commercio/spedizioni",
            "ongoing frustrating routine",
            layout="prose",
        ),
        T(
            "{person!inquilina} scrive: «<<gs:Il riscaldamento {x=flip:funziona/non funziona più}, in"
            " camera ci sono {n=plain:11:22} gradi>>». <<n:{person2!proprietario} <<v:manda>>"
            " <<o:un tecnico>> <<d:alle {h=hour}>>.>>",
            "riscaldamento=casa/guasti",
            "success satisfying routine/ongoing frustrating notable",
            layout="prose",
            concepts="riscaldamento",
        ),
        T(
            "<<gs:O voo {v=plain:100:999} para {sitio!destino} {x=flip:saiu tarde/foi"
            " cancelado}>>; a causa foi <<b:{razao}>>. <<n:{person!passageira} <<v:recebeu>>"
            " <<o:{a=plain:50:600} euros>> e dormiu em {sitio2!escala}.>>",
            "voo=viagens/aviões",
            "success neutral routine/failure frustrating notable",
            layout="prose",
        ),
        T(
            "<<gs:Faltam {n=plain:5:90} {coisa#} no armazém de {sitio!armazém}>>: contámos"
            " {a=plain:100:400}, o livro diz {b=plain:401:900}. <<n:{person!responsável} não"
            " encontrou o recibo {r=plain:1000:9999}.>>",
            "inventário=negócio/armazém",
            "ongoing concerning notable",
            layout="prose",
        ),
        T(
            "<<gs:{person!médica} reduziu a dose de {a=plain:20:90} mg para {b=plain:2:19} mg por"
            " dia>>, sem antibiótico. <<n:A consulta seguinte é às {h=hour}, sala {s=plain:1:40}.>>",
            "dose=saúde/tratamento",
            "ongoing neutral notable",
            layout="prose",
            concepts="dose",
        ),
        T(
            "<<gs:Autobuzul {n=plain:2:90} nu mai oprește la piață>>, ci la gară, din cauza"
            " lucrărilor. <<n:{person!șoferiță} <<v:spune>> că drumul durează {a=plain:5:19} minute"
            " în plus, nu {b=plain:20:60}.>>",
            "autobuz=oraș/transport",
            "ongoing frustrating routine",
            layout="prose",
            concepts="autobuz",
        ),
    ),
)
