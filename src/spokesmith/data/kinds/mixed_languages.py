"""English with sentences in other languages, and texts in other languages alone."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="mixed_languages",
    words={
        "german": (
            "Der Zug nach {city} hat {n=plain:5:90} Minuten Verspätung.",
            "Die Rechnung über {n=plain:20:900} € ist bezahlt.",
            "Das Treffen beginnt um {n=plain:8:19}:15 Uhr.",
            "Die Lieferung kommt erst in {n=plain:2:9} Wochen.",
            "Der Schlüssel liegt unter der Matte.",
            "Die Prüfung war schwer, aber fair.",
            "Wir brauchen noch {n=plain:2:60} Stühle.",
            "Der Server läuft wieder stabil.",
        ),
        "french": (
            "La réunion commence à {n=plain:8:19} h 30.",
            "Le train pour {city} est annulé.",
            "Il manque {n=plain:2:60} chaises.",
            "Le colis pèse {n=plain:2:30} kg.",
            "La clé est chez la voisine.",
            "Le serveur est de nouveau en ligne.",
            "Nous avons payé {n=plain:20:900} € de trop.",
        ),
        "spanish": (
            "La reunión empieza a las {n=plain:8:19}:30.",
            "El tren a {city} sale con retraso.",
            "Faltan {n=plain:2:60} sillas.",
            "La factura es de {n=plain:20:900} euros.",
            "¿Quién tiene la llave?",
            "¡El servidor ya funciona!",
            "Mañana llueve en {city}.",
            "El niño tiene {n=plain:2:12} años.",
        ),
        "portuguese": (
            "A reunião começa às {n=plain:8:19}h30.",
            "O comboio para {city} está atrasado.",
            "Faltam {n=plain:2:60} cadeiras.",
            "A fatura é de {n=plain:20:900} euros.",
            "Não há pão em casa.",
            "O servidor voltou a funcionar.",
            "A chave está na gaveta.",
        ),
        "japanese": (
            "会議は{n=plain:9:18}時に始まります。",
            "電車が{n=plain:5:60}分遅れています。",
            "鍵は机の上にあります。",
            "サーバーは復旧しました。",
            "明日は雨です。",
            "請求書は{n=plain:1000:90000}円です。",
        ),
        "chinese": (
            "会议{n=plain:9:18}点开始。",
            "火车晚点{n=plain:5:60}分钟。",
            "钥匙在桌子上。",
            "服务器已经恢复。",
            "明天下雨。",
            "账单是{n=plain:100:9000}元。",
            "我们还缺{n=plain:2:60}把椅子。",
        ),
        "other": (
            "Spotkanie jest o {n=plain:8:19}:00.",
            "Поезд опаздывает на {n=plain:5:60} минут.",
            "La riunione è rinviata.",
            "회의는 {n=plain:9:18}시에 시작합니다.",
            "Mötet är flyttat till {weekday}.",
            "De trein naar {city} rijdt niet.",
            "Toplantı saat {n=plain:9:18}:00'de.",
            "Kokous on peruttu.",
            "الاجتماع غدا.",
            "बैठक कल है।",
            "Η συνάντηση είναι αύριο.",
            "Cuộc họp bắt đầu lúc {n=plain:8:19} giờ.",
        ),
        "foreign": (
            "{german}",
            "{french}",
            "{spanish}",
            "{portuguese}",
            "{japanese}",
            "{chinese}",
            "{other}",
        ),
        "tongue": ("Finnish", "Welsh", "Korean", "Turkish", "Swahili", "Dutch", "Greek", "Tamil"),
        "english": (
            "Please {errand}.",
            "That means we {errand} first.",
            "I will {errand} on {weekday}.",
            "The rest is in {file!holds the rest}.",
            "Nobody here reads it.",
            "It took {span} to translate.",
            "{person3!told the group} told the group at {time}.",
            "Reply before {date}.",
        ),
        "errand": (
            "bring the {noun}",
            "call {company!to be called}",
            "pay {n=money:5:400}",
            "book {n=plain:2:30} seats",
        ),
    },
    templates=(
        T(
            '{person!wrote} wrote: "<<g:{german}>>" // <<s:{person2!must act} should <<v:answer>> <<o:{person}>>'
            " <<d:by {weekday}>>.>>[[ // {french}]]",
            "message=communication/languages",
            "ongoing neutral routine",
            swap="person person2",
        ),
        T("<<gs:{spanish}>> // {english}[[ // {portuguese}]]", "note=communication/languages"),
        T(
            "<<gs:{japanese}>> // {english}[[ // {person!contact} knows more.]]",
            "note=communication/languages",
        ),
        T(
            "<<gs:{chinese}>> // {english}[[ // Ask {person!contact}.]]",
            "note=communication/languages",
        ),
        T("<<gs:{french}>> // {german}[[ // {english}]]", "notice=communication/languages"),
        T("<<gs:{foreign}>>[[ // {foreign2}]]", "notice=communication/languages"),
        T(
            "Notes from {city!place}: <<gs:{foreign}>> // {english} // {foreign2}",
            "notes=communication/languages",
        ),
        T(
            "{first!asks}: {foreign}\n{first2!answers}: <<gs:{english}>>",
            "chat=communication/languages",
            layout="prose",
            swap="first first2",
        ),
        T(
            "How do you say '{noun#}' in {tongue#}? // <<gs:{person!helped} <<v:translated>>"
            " <<o:the sign>> <<d:at {time}>>>>: {foreign}",
            "translation=communication/languages",
            "success neutral routine",
        ),
        T(
            "<<gs:Das Paket für {person!bekommt das Paket} ist {x=flip:angekommen/verloren}>>, Gewicht"
            " {n=dec:1.1:29.9} kg. // {english}",
            "parcel=logistics/delivery",
            "success neutral routine/failure concerning routine",
        ),
        T(
            "<<gs:{person!vendedor} vendió {noun} a {person2!comprador}>> por {n=plain:20:900}"
            " euros. // {english}",
            "sale=commerce/languages",
            "success neutral routine",
            swap="person person2",
        ),
        T(
            "Le rapport de {person!auteur} est {x=flip:terminé/en retard}. // <<gs:The report of"
            " {person} is {y=flip:finished/late}.>>[[ // {english}]]",
            "report=work/languages",
            "success satisfying routine/ongoing concerning routine",
        ),
    ),
)
