"""Short posts with pictographs and loose punctuation."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="emoji",
    words={
        "glad": ("🎉", "🥳", "😀", "🙌", "🚀", "💪", "😍", "✨", "🏆", "👏🏽"),
        "sad": ("😭", "😤", "💔", "😞", "🙄", "😡", "🤦‍♀️", "🫠"),
        "sign": (
            "✅",
            "❌",
            "⚠️",
            "🔥",
            "📦",
            "📅",
            "📍",
            "☕",
            "🐛",
            "🌱",
            "🍝",
            "🚲",
            "👨‍👩‍👧",
        ),
        "win": (
            "{service} is back",
            "{n=num:100:90000} downloads",
            "marathon done in {n=plain:3:5}:{m=plain:10:59}",
            "passed my {noun} exam",
            "new {noun}, only {n=money:5:90}",
            "{ticket} merged",
            "first {plant} of the year",
            "level {n=plain:5:90} reached",
            "we moved to {city}",
        ),
        "loss": (
            "{service} down again",
            "lost my {noun} in {city}",
            "{n=plain:2:14} h at the airport",
            "burnt the {dish}",
            "{ticket} reopened",
            "rain for {n=plain:2:20} days",
            "the {noun} costs {n=money:90:900} now",
        ),
    },
    templates=(
        T(
            "<<gs:{win}>> {glad}{glad2} thanks {first!thanked}!!",
            "good news=social/post",
            "success exciting routine",
        ),
        T(
            "{sad} <<gs:{loss}>> {sad2} ((why|not again|help))",
            "bad news=social/post",
            "failure frustrating routine",
        ),
        T(
            "{sign} {noun}: {x=flip:done/to do}\n{sign2} {noun2}: {y=flip:to do/done}\n{sign3} by"
            " {weekday} {time}",
            "to-do list=home life/planning",
            "ongoing neutral routine",
            gist="{noun}: {x}, {noun2}: {y}",
            summary="{noun}: {x}, {noun2}: {y} by {weekday} {time}.",
            concepts="{noun}, {noun2}",
        ),
        T(
            "<<gs:{first!host} invites {first2!guest} to {dish#!on the menu} {sign} {weekday}"
            " {time}>>, {sign2} {city!place}",
            "invitation=social/dinner",
            "ongoing exciting routine",
            swap="first first2",
        ),
        T(
            "{club!home side} {a=plain:0:6} ⚽ {b=plain:0:6} {club2!visitors} {x=flip:🎉/😭}"
            " {person!named} in minute {m=plain:2:90}!",
            "match result=sports/result",
            "success exciting routine/failure frustrating routine",
            gist="{club} {a}, {club2} {b}",
            swap="a b",
        ),
        T(
            "day {n=plain:2:300} of my {plant#} {sign}: <<gs:{a=dec:1.1:90.9} cm, was"
            " {b=dec:1.1:90.9}>> {glad}",
            "plant diary=gardening/growth",
            "success satisfying routine",
            swap="a b",
        ),
        T(
            '{win} {glad} … but {loss} {sad}[[ — {first!quoted} says "{noun}" {sign}]]',
            "mixed news=social/post",
            "unknown neutral routine",
            gist="{win} but {loss}",
            summary="{win}, but {loss}.",
        ),
        T(
            "📢 <<gs:{project!announced project} meetup in {city!place of the meetup}>> 📅 {date}"
            " 🕖 {time} 🎟️ {m=money:3:60} ➡️ {url!tickets}",
            "event=social/announcement",
            "ongoing exciting routine",
            layout="prose",
        ),
        T(
            "mood today: {x=flip:😀/😞} because <<b:the {noun#} is {x2=flip:repaired/broken}>>,"
            " {n=plain:2:9} ☕ so far",
            "mood=social/diary",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "poll {sign}: <<gs:{noun#} {a=plain:30:90} 👍 vs {noun2#} {b=plain:2:29} 👍>>, closes"
            " {weekday}",
            "poll=social/vote",
            "ongoing neutral routine",
            swap="noun noun2",
        ),
    ),
)
