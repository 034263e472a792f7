"""Texts in German, Dutch, Swedish, Polish, Czech and Russian; the gold stays in their language."""

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.kinds.romance import comma, hour
from spokesmith.data.words import listed

KIND = Kind(
    name="germanic_slavic",
    alone=True,
    words={
        "comma": comma,
        "hour": hour,
        "monat": listed("Januar, Februar, März, April, Mai, Juni, Juli, August, Oktober"),
        "maand": listed("januari, februari, maart, april, mei, juni, juli, oktober"),
        "ort": listed("Kassel, Jena, Passau, Ulm, Lübeck, Trier, Göttingen, Erfurt, Bamberg"),
        "plaats": listed("Zwolle, Breda, Leiden, Arnhem, Gouda, Delft, Hasselt, Brugge"),
        "stad": listed("Lund, Gävle, Örebro, Kalmar, Umeå, Visby, Borås, Luleå"),
        "miasto": listed("Toruń, Kielce, Opole, Gdynia, Elbląg, Łomża, Płock, Tarnów"),
        "mesto": listed("Zlín, Opava, Písek, Tábor, Cheb, Kladno, Jihlava, Znojmo"),
        "gorod": listed("Тверь, Псков, Томск, Пермь, Казань, Омск, Рязань, Калуга"),
        "grund": listed("""
        ein Rohr geplatzt ist, die Lieferung fehlt, zwei Kollegen krank sind, der Strom ausfiel
        die Frist abgelaufen ist, der Boden gefroren war
        """),
        "geraet": listed("die Pumpe, der Drucker, die Heizung, der Server, die Presse, der Kran"),
        "reden": listed("""
        de levering te laat was, een kabel kapot was, het dak lekte, niemand de sleutel had
        de bestelling dubbel was
        """),
        "ware": listed("Stühle, Fenster, Fässer, Kisten, Rohre, Lampen, Reifen, Zelte"),
        "spullen": listed("stoelen, kratten, fietsen, lampen, tegels, boeken, flessen"),
        "rzecz": listed("krzeseł, skrzyń, lamp, książek, butelek, rowerów, kluczy"),
        # Numbers after which all nouns stand in the genitive plural.
        "wiele": listed("12, 15, 17, 18, 20, 25, 26, 30, 36, 40, 45, 48, 50, 60, 75, 80"),
        "veci": listed("židlí, lamp, knih, lahví, klíčů, beden, oken"),
        "vesch": listed("стульев, ламп, книг, ящиков, бутылок, ключей, окон"),
    },
    types=dict.fromkeys(("ort", "plaats", "stad", "miasto", "mesto", "gorod"), "place"),
    templates=(
        T(
            "<<gs:Die Sitzung am {d=plain:2:28}. {monat} {x=flip:findet später statt/fällt aus}>>, weil"
            " <<b:{grund}>>. <<n:{person!verschickt das Protokoll} <<v:verschickt>> <<o:das Protokoll>> <<d:bis"
            " {h=hour} Uhr>>, {person2!fehlt} fehlt.>>",
            "Sitzung=Arbeit/Termine",
            "ongoing neutral routine/failure frustrating routine",
            layout="prose",
            concepts="protokoll",
        ),
        T(
            "Störung in {ort!mit der Störung}: <<gs:{geraet} {x=flip:läuft wieder/läuft nicht mehr}>> seit"
            " {h=hour} Uhr. <<n:{person!tauschte {n} Dichtungen} <<v:tauschte>> <<o:{n=plain:2:9} Dichtungen>>, der"
            " Druck stieg von {a=comma:0.5:1.9} auf {b=comma:2.0:6.9} bar.>>",
            "Störung=Technik/Anlagen",
            "success satisfying notable/failure concerning notable",
            layout="prose",
            concepts="druck",
        ),
        T(
            "<<gs:Der Stadtrat von {ort!hat einen Stadtrat} hat den Antrag {x=flip:angenommen/nicht angenommen}>>:"
            " {n=plain:12:40} Stimmen dafür, {m=plain:2:39} dagegen. <<n:Weder {person!wollte sich nicht äußern} noch"
            " {person2!wollte sich nicht äußern} wollte sich äußern.>>",
            "Antrag=Politik/Stadtrat",
            "success neutral notable/failure neutral notable",
            layout="prose",
            concepts="stadtrat",
        ),
        T(
            "Rechnung {n=plain:10000:99999} vom {d=plain:2:28}.{k=plain:10:12}.{y=plain:2019:2027}:"
            " <<gs:{a=plain:2:80} {ware#} zu je {b=comma:3.05:99.95} €, zahlbar in {t=plain:7:60}"
            " Tagen>>. <<n:Lieferung nach {ort!für die Lieferung}, ohne Aufbau.>>",
            "Rechnung=Geld/Rechnungen",
            "ongoing neutral routine",
            layout="prose",
        ),
        T(
            "<<gs:{person!nimmt {b} mg am Tag} nimmt statt {a=plain:50:90} mg nur noch {b=plain:5:49} mg am"
            " Tag>>, kein Fieber mehr. <<n:Nächste Kontrolle bei {person2!nächste Kontrolle} in {n=plain:2:9}"
            " Wochen.>>",
            "Dosis=Medizin/Behandlung",
            "success satisfying notable",
            layout="prose",
            concepts="fieber",
        ),
        T(
            "<<gs:De brug bij {plaats!brug} is {x=flip:half open/dicht} tot {d=plain:2:28} {maand}>>, omdat"
            " <<b:{reden}>>. <<n:{person!woordvoerder} <<v:verwacht>> <<o:{n=plain:500:9000} auto's>>"
            " per dag op de omweg van {a=comma:2.0:19.9} km.>>",
            "brug=verkeer/wegen",
            "success neutral routine/ongoing frustrating notable",
            layout="prose",
        ),
        T(
            "<<gs:{person!koper} kocht {n=plain:12:90} {spullen#} voor {a=plain:100:900} euro, niet"
            " voor {b=plain:100:900}>>. <<n:{person2!verkoper} uit {plaats!winkel} gaf geen"
            " bon.>>",
            "aankoop=handel/aankopen",
            "success neutral routine",
            layout="prose",
            swap="a b",
        ),
        T(
            "<<gs:Färjan från {stad!avgång} till {stad2!ankomst} går {h=hour} i stället för"
            " {h2=hour}>>. <<n:{person!kapten} <<v:väntar>> <<o:vind>> på {n=plain:12:28} meter per"
            " sekund; hundar får inte följa med.>>",
            "färja=resor/båtar",
            "ongoing neutral routine",
            layout="prose",
            concepts="vind",
            swap="stad stad2",
        ),
        T(
            "<<gs:Zebranie w mieście {miasto!miejsce} zaczyna się o {h=hour}, nie o {h2=hour}>>."
            " <<n:{person!prowadzi} <<v:prosi>> o {n=wiele} {rzecz#} i {k=plain:2:4} stoły;"
            " nikt nie odpowiedział.>>",
            "zebranie=praca/spotkania",
            "ongoing neutral routine",
            layout="prose",
            swap="h h2",
        ),
        T(
            "<<gs:Pociąg {n=plain:1000:9999} do stacji {miasto!stacja} ma {a=plain:5:120} minut"
            " opóźnienia>> z powodu śniegu. <<n:{person!pasażerka} <<v:czeka>> na peronie"
            " {k=plain:1:9} bez biletu.>>",
            "pociąg=podróże/kolej",
            "ongoing frustrating routine",
            layout="prose",
            concepts="bilet",
        ),
        T(
            "<<gs:Ve skladu {mesto!sklad} chybí {n=plain:12:90} {veci#}>>, protože <<b:dodávka nepřišla>>."
            " <<n:{person!skladník} <<v:napsal>> zprávu v {h=hour}; cena klesla z {a=plain:500:900} na"
            " {b=plain:100:499} Kč.>>",
            "sklad=obchod/zásoby",
            "ongoing concerning notable",
            layout="prose",
        ),
        T(
            "<<gs:Поезд в город {gorod!город} {x=flip:пришёл вовремя/не пришёл}>>, на складе нет"
            " {n=plain:12:90} {vesch#}. <<n:Начальник обещал ответ к {h=hour}, но позвонил только в"
            " {h2=hour}.>>",
            "поезд=работа/склад",
            "success neutral routine/failure frustrating notable",
            layout="prose",
        ),
        T(
            '{person!schreibt}: "<<gs:Der Schlüssel liegt nicht mehr unter der Matte, sondern bei'
            ' {person2!hat den Schlüssel}>>." // {person2}: "Stimmt, Wohnung {n=plain:2:90}, ab {h=hour}'
            ' Uhr."',
            "Schlüssel=Wohnen/Nachbarn",
            "ongoing neutral routine",
            layout="prose",
            swap="person person2",
            concepts="schlüssel",
        ),
    ),
)
