"""Reviews: products, books, films, restaurants, with ratings."""

from spokesmith.data.kinds.family import Kind, T

KIND = Kind(
    name="review",
    prefixes=("{k=plain:1:5}/5 ", "★★★ ", "Verified buyer, {date}: ", "Review: "),
    words={
        "title": (
            "The Salt Ferry",
            "Eleven Lanterns",
            "A Map of Rain",
            "The Quiet Orchard",
            "Borrowed Snow",
            "Tin Horses",
            "Night Bus to Nowhere",
            "Letters from the Mill",
            "Glass Winter",
            "The Last Beekeeper",
        ),
        "gadget": (
            "blender",
            "vacuum cleaner",
            "headset",
            "rice cooker",
            "e-bike",
            "drill",
            "hiking boots",
            "desk lamp",
            "mattress",
            "dash cam",
            "robot mower",
            "tent",
            "watch",
            "keyboard",
            "air fryer",
            "stroller",
        ),
        "part": ("motor", "hinge", "belt", "battery", "seal", "strap", "switch", "sole"),
        "praise": (
            "easy to clean",
            "very quiet",
            "light as a feather",
            "well made",
            "worth every cent",
            "a pleasure",
            "gripping to the end",
            "fresh and hot",
            "friendly staff",
            "fast delivery",
            "clever and warm",
        ),
        "blame": (
            "loud",
            "too heavy",
            "cheaply made",
            "overpriced",
            "boring after page {n=plain:20:200}",
            "cold and greasy",
            "rude staff",
            "broken after {n=plain:2:40} days",
            "hard to assemble",
            "late by {n=plain:2:14} days",
        ),
    },
    types={"title": "product"},
    templates=(
        T(
            "<<gs:Bought the {gadget#} for {a=money:20:900}>>: {x=flip:good as new/poor value}. //"
            " <<n:After {n=plain:2:30} weeks it {y=flip:still works/is in the bin}.>>",
            "product review=commerce/review",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            '"{title!reviewed book}" by {fullname!author} is <<gs:{praise}, though {blame}>>. //'
            " {n=plain:90:900} pages, {a=money:5:40}. // <<n:I {x=flip:would/would not} read it"
            " again.>>",
            "book review=culture/books",
            "unknown satisfying routine/unknown frustrating routine",
        ),
        T(
            "<<gs:{title!better film} beats {title2!weaker film}>>: better <<k:cast>>,"
            " {a=plain:80:130} instead of {b=plain:131:200} minutes. // <<n:{fullname!actor}"
            " <<v:plays>> <<o:the baker>>.>>",
            "film review=culture/film",
            "unknown exciting routine",
            swap="title title2",
        ),
        T(
            "Dinner in {city!place}: <<gs:{dish#} {x=flip:superb/inedible}>>, {dish2#} fine. //"
            " <<n:{a=money:20:200} for {n=plain:2:8}, tip included; we waited {span}.>>",
            "restaurant review=food/restaurant",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "PRO: {praise}, {praise2}\nCON: {blame}\nVERDICT: <<gs:{gadget#}"
            " {x=flip:recommended/not recommended}>>, {a=plain:1:10} of 10",
            "product review=commerce/review",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "<<gs:The {gadget#} lasted {a=num:2:900} hours, the {gadget2#} {b=num:2:900}>>. //"
            " <<n:{first!tested them} <<v:tested>> <<o:both>> in {month}; the first is {blame}, the"
            " second {praise}.>>",
            "comparison=commerce/test",
            "unknown neutral routine",
            swap="a b",
        ),
        T(
            "<<k:Hotel>> in {city!place of the hotel}, room {n=plain:101:940}: <<gs:{praise} but"
            " {blame}>>. // <<n:{first!complained} <<v:complained>> at {time} and <<v:got>>"
            " <<o:{a=money:10:90} back>>.>>",
            "hotel review=travel/review",
            "unknown neutral routine",
        ),
        T(
            "{a=plain:1:5} stars. <<gs:{^blame}>>, asked {company!seller} for help and {x=flip:got"
            " it within/waited} {span}. // {gadget#} goes ((back|to my brother|on the shelf))",
            "service review=commerce/service",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "Update after {n=plain:2:24} months: <<gs:I take back one star, now {a=plain:1:5}>>. //"
            " <<n:The {gadget#} is {blame} because <<b:the {part} wore out>>.>>",
            "product review=commerce/review",
            "failure frustrating routine",
        ),
    ),
)
