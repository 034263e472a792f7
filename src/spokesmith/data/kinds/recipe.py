"""Cooking: recipes, kitchen notes, what went well and what did not."""

from spokesmith.data.kinds.family import Kind, T

GOOD = "success satisfying routine"

KIND = Kind(
    name="recipe",
    prefixes=("Recipe: ", "{weekday}: ", "Kitchen notes. ", "From the family book: ", "Tip: "),
    words={
        "pot": (
            "lentil soup", "beef stew", "chicken curry", "mushroom risotto", "goulash",
            "minestrone",
            "borscht", "jollof rice", "bean chili", "fish chowder", "laksa", "lamb tagine",
            "feijoada",
            "pumpkin soup", "tomato sauce", "oxtail ragu", "black dal", "pozole", "callaloo",
            "caldo verde",
            "groundnut stew", "sancocho", "barley broth", "vegetable tagine", "massaman curry",
            "gumbo",
        ),
        "bake": (
            "banana bread", "apple crumble", "lemon tart", "carrot cake", "focaccia", "rye loaf",
            "cheese scones", "plum cake", "potato gratin", "spinach pie", "shortbread",
            "honey cake",
            "cinnamon rolls", "gingerbread", "soda bread", "almond torte", "moussaka", "fish pie",
            "cornbread", "cardamom buns", "chocolate babka", "onion quiche", "pear strudel",
            "challah",
        ),
        "solid": (
            "red lentils", "chickpeas", "flour", "spelt flour", "basmati rice", "brown sugar",
            "butter",
            "minced beef", "potatoes", "mushrooms", "spinach", "grated carrots", "pearl barley",
            "chicken thighs", "feta", "parmesan", "ground almonds", "white beans", "cabbage",
            "leeks",
            "dark chocolate", "oats", "semolina", "pumpkin", "cod fillet", "smoked tofu",
            "dried figs",
            "parsnips", "sweet potatoes", "ricotta", "polenta", "bulgur", "fennel", "okra",
            "raisins",
        ),
        "liquid": (
            "milk", "coconut milk", "vegetable stock", "cream", "buttermilk", "water", "white wine",
            "orange juice", "fish stock", "tomato passata", "oat milk", "apple cider", "beef broth",
            "kefir", "stout", "chicken stock", "lemon juice", "cold coffee",
        ),
        "pulse": ("chickpeas", "black beans", "salt cod", "dried peas", "whole wheat",
            "kidney beans",
                  "hominy", "butter beans", "dried mushrooms", "mung beans", "urad dal",
                  "split peas"),
        "spice": (
            "cumin", "paprika", "turmeric", "cinnamon", "nutmeg", "cardamom", "sumac",
            "garam masala",
            "ground ginger", "allspice", "chili flakes", "mustard seeds", "thyme", "oregano",
            "baking powder",
            "soy sauce", "honey", "miso paste", "tahini", "fish sauce", "tamarind paste", "harissa",
            "vanilla sugar", "ground cloves", "fennel seeds", "za'atar", "molasses", "dried mint",
        ),
        "countable": (
            "eggs", "onions", "garlic cloves", "bay leaves", "ripe bananas", "lemons",
            "tart apples",
            "carrots", "celery stalks", "shallots", "tomatoes", "red peppers", "anchovies", "limes",
        ),
        "item": (
            "{n=plain:5:90}0{_}g {i=solid}", "{n=plain:1:9}50{_}g {i=solid}",
            "{n=plain:5:90}0{_}ml {i=liquid}", "{n=plain:2:5} tbsp {i=spice}",
            "{n=plain:2:4} tsp {i=spice}", "{n=plain:2:9} {i=countable}", "1/2 tsp {i=spice}",
        ),
        "heat": ("{n=plain:16:24}0{_}°C", "{n=plain:16:24}0 degrees", "{n=plain:32:47}5{_}°F"),
        "step": (
            "sweat {n=plain:2:5} {i=countable} in butter",
            "toast the {i=spice} for {n=plain:1:4} minutes",
            "rinse the {i=solid} twice", "whisk in {n=plain:3:30}0{_}ml {i=liquid}",
            "stir in the {i=spice}", "leave it to rest for {n=plain:5:50} minutes",
            "fold in {n=plain:4:30}0{_}g {i=solid}", "season with {i=spice}",
            "reduce the {i=liquid} by half", "add the {i=solid} in {n=plain:2:5} batches",
        ),
        "fault": (
            "the oven was {n=plain:1:6}0 degrees too hot", "I forgot the {i=spice}",
            "the {i=liquid} had split", "I doubled the {i=spice} by mistake",
            "the {i=solid} went in too early", "the timer stopped after {n=plain:3:30} minutes",
        ),
        "nut": ("hazelnuts", "peanuts", "almonds", "cashews", "walnuts", "sesame", "shellfish",
            "celery"),
        "vessel": ("a heavy pot", "a cast-iron pan", "a clay pot", "the pressure cooker",
            "a wide casserole"),
        "helper": ("my aunt", "the neighbour", "our canteen cook", "my grandfather",
            "the new chef"),
    },
    types={"pot": "product", "bake": "product"},
    templates=(
        T(
            "<<s:<<g:{^pot#} for {p=plain:2:9}>>: {item}, {item2}, {item3}>>[[ and {item4}]]. //"
            " <<n:{^step}, then {step2}.>> // <<v:Simmer>> <<o:everything>> <<d:for"
            " {t=plain:12:90} minutes>> in {vessel}.",
            "{pot}=cooking/stews",
        ),
        T(
            "{^bake}\n- {item}\n- {item2}\n- {item3}[[\n- {item4}]]\n<<n:Mix, <<v:rest>> <<o:the"
            " dough>> <<d:{r=plain:10:90} minutes>>, then bake at {heat} for {t=plain:18:75}"
            " minutes.>>",
            "baking=cooking/baking",
            gist="{^bake}: bake at {heat} for {t} minutes",
            summary="{^bake} with {item} and {item2}",
            concepts="{bake}",
            layout="prose",
        ),
        T(
            "<<gs:<<v:Made>> <<o:{person!source of the recipe}'s {pot#}>> <<d:on {weekday}>>>>. //"
            " <<n:I used {solid#} instead of {solid2} and it came out {x=flip:better/worse} than"
            " last time.>>[[ // Took {t=plain:25:140} minutes all in all.]]",
            "substitution=cooking/experiments",
            "success satisfying routine/failure frustrating routine",
            swap="solid solid2",
        ),
        T(
            "((Note to self:|Remember:|Correction:)) <<gs:the {bake#} needs {a=plain:11:29}0{_}ml"
            " of {liquid}, not {b=plain:30:60}0>>. // <<n:With {b}0{_}ml the batter <<e:ran over"
            " the edge of the tin>> and I had to <<v:start>> <<o:again>>.>>",
            "recipe correction=cooking/baking",
            "failure frustrating routine",
            gist="the {bake} needs {a}0{_}ml of {liquid}, not {b}0",
        ),
        T(
            "<<gs:The {bake#} {x=flip:rose beautifully/collapsed}>> after {t=plain:15:60} minutes"
            " at {heat}. // <<n:{person!was at the table} had {y=flip:two slices/one polite bite}"
            " and asked about the {spice}.>>",
            "baking result=cooking/baking",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "<<gs:The {pot#} was ruined because <<b:{fault}>>>>. // <<n:We <<v:ordered>>"
            " <<o:pizza>> <<d:for {m=money:12:80}>> at {time} instead.>>",
            "kitchen mishap=cooking/mistakes",
            "failure frustrating routine",
        ),
        T(
            "ALLERGY WARNING: <<gs:the {bake#} served on {date} {x=flip:contains/is free of}"
            " {nut#}>>. // <<n:{person!has the allergy} must {y=flip:not eat it/still ask the"
            " kitchen first}.>>",
            "food allergy=health/allergies",
            "ongoing concerning important/ongoing neutral notable",
        ),
        T(
            "<<s:This {pot#} from {city!origin of the dish} is traditionally begun a day ahead.>>"
            " // <<n:<<v:Soak>> <<o:{a=plain:20:60}0{_}g of {pulse#}>> <<d:overnight>>, drain, and"
            " cover with {b=plain:6:19}00{_}ml of {liquid}. Once it boils, {step} and keep the"
            " heat low for {h=plain:2:5} hours.>> // The cooks of the region add {spice} only at"
            " the very end <<t:to keep its aroma>>; {spice2} they leave out.[[ // Serve with bread"
            " and a spoonful of {spice3}.]]",
            "regional cooking=cooking/tradition",
            gist="{pot} from {city}",
        ),
        T(
            "<<gs:Dinner plan>>: {weekday} {pot}, {weekday2} {bake}, {weekday3} {pot2#}. //"
            " <<n:{person!does the shopping} will <<v:buy>> <<o:{item}>> and {item2}.>>",
            "meal plan=household/meals",
            "ongoing neutral routine",
            swap="weekday weekday2",
            gist="Dinner plan: {weekday} {pot}, {weekday2} {bake}",
            summary="Dinner plan: {weekday} {pot}, {weekday2} {bake}, {weekday3} {pot2}",
        ),
        T(
            "<<gs:{^helper} {x=flip:swears by/warns against} {spice#} in {pot#}>>. // <<n:I tried"
            " it with {n=plain:2:4} tsp in {vessel}, and the guests {y=flip:asked for more/left"
            " half of it}.>>",
            "seasoning=cooking/spices",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "can i <<v:swap>> <<o:{solid#}>> <<d:for {solid2}>> in the {bake#}? only have"
            " {n=plain:5:40}0{_}g left",
            "substitution=cooking/questions",
            "ongoing neutral routine",
            swap="solid solid2",
            gist="swap {solid} for {solid2} in the {bake}",

        ),
        T(
            "<<gs:Scaled the {pot#} from {a=plain:2:6} to {b=plain:12:60} portions>> for {team!to"
            " be fed}. // <<n:That meant <<v:cooking>> <<o:{k=plain:2:9}{_}kg of {solid}>> in"
            " {vessel}, which took until {time}.>> // Leftovers: {l=plain:2:9} boxes, kept at"
            " {f=plain:2:6}{_}°C.",
            "batch cooking=cooking/catering",
            GOOD,
        ),
    ),
)
