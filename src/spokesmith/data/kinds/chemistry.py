"""Laboratory notes: batches, titrations, spectra, spills and corrections."""

from spokesmith.data.kinds.family import Kind, T

GOOD = "success satisfying notable"

KIND = Kind(
    name="chemistry",
    prefixes=(
        "Lab book {k=plain:2:40}, p. {p=plain:3:190}: ",
        "{date}: ",
        "Lab note. ",
        "Run {r=plain:2:99}: ",
    ),
    words={
        "compound": (
            "benzoic acid",
            "aspirin",
            "caffeine",
            "aniline",
            "acetanilide",
            "copper sulfate",
            "ferrocene",
            "vanillin",
            "salicylic acid",
            "urea",
            "potassium alum",
            "citric acid",
            "nickel oxalate",
            "cumene",
            "zinc oxide",
            "cobalt chloride",
            "indigo",
            "menthol",
            "limonene",
            "naphthalene",
            "picoline",
            "silver chloride",
            "barium sulfate",
            "lead iodide",
            "ethyl cinnamate",
            "benzaldehyde",
            "coumarin",
            "calcium oxalate",
            "luminol",
            "tartaric acid",
            "camphor",
            "methyl orange",
            "nylon-6,6",
            "lithium carbonate",
            "iron oxide",
            "manganese dioxide",
            "phthalic anhydride",
            "sulfanilamide",
        ),
        "reagent": (
            "sodium hydroxide",
            "hydrochloric acid",
            "sulfuric acid",
            "acetic anhydride",
            "potassium iodide",
            "silver nitrate",
            "bromine water",
            "sodium borohydride",
            "potassium permanganate",
            "nitric acid",
            "ammonia",
            "sodium thiosulfate",
            "oxalic acid",
            "barium chloride",
            "zinc powder",
            "thionyl chloride",
            "hydrogen peroxide",
            "calcium chloride",
            "sodium sulfite",
            "magnesium turnings",
            "iodine",
        ),
        "solvent": (
            "ethanol",
            "acetone",
            "toluene",
            "hexane",
            "ethyl acetate",
            "dichloromethane",
            "methanol",
            "diethyl ether",
            "tetrahydrofuran",
            "acetonitrile",
            "isopropanol",
            "cyclohexane",
            "chloroform",
            "dimethyl sulfoxide",
            "pyridine",
            "xylene",
            "distilled water",
        ),
        "indicator": (
            "phenolphthalein",
            "methyl red",
            "bromothymol blue",
            "thymol blue",
            "litmus",
            "starch",
        ),
        "colour": (
            "pale yellow",
            "deep violet",
            "brick red",
            "colourless",
            "emerald green",
            "milky white",
            "orange",
            "navy blue",
            "brown",
            "pink",
            "turquoise",
            "black",
        ),
        "form": (
            "needles",
            "plates",
            "an oil",
            "a fine powder",
            "a gel",
            "cubic crystals",
            "flakes",
            "a glass",
        ),
        "method": (
            "NMR",
            "IR",
            "GC-MS",
            "HPLC",
            "TLC",
            "UV-Vis",
            "Raman",
            "X-ray diffraction",
            "titration",
            "flame test",
            "polarimetry",
        ),
        "device": (
            "rotary evaporator",
            "fume hood",
            "hot plate",
            "centrifuge",
            "vacuum pump",
            "glovebox",
            "Soxhlet extractor",
            "pH meter",
            "balance",
            "autoclave",
            "condenser",
            "spectrometer",
            "stirrer",
            "burette",
            "drying oven",
            "separating funnel",
            "Schlenk line",
        ),
        "mishap": (
            "the flask cracked at {n=plain:60:190}{_}°C",
            "the stirrer stopped for {n=plain:5:80} minutes",
            "the cooling water failed",
            "the septum leaked",
            "moisture got in",
            "the solvent boiled dry",
            "the funnel clogged",
            "the label was read as {n=dec:0.1:9.9}{_}mol/L",
            "the filter paper tore",
            "the base was added too fast",
            "the nitrogen ran out after {n=plain:2:9} hours",
        ),
        "amount": (
            "{n=dec:0.2:48.0}{_}g",
            "{n=plain:2:950}{_}mg",
            "{n=dec:0.01:0.95}{_}mol",
            "{n=plain:3:90}{_}mmol",
        ),
        "volume": ("{n=plain:5:500}{_}mL", "{n=dec:0.5:24.9}{_}mL", "{n=dec:1.1:9.9}{_}L"),
        "strength": ("{n=dec:0.05:2.50}{_}M", "{n=plain:2:37}{_}%", "{n=dec:0.1:6.0}{_}mol/L"),
        "heat": (
            "{n=plain:25:240}{_}°C",
            "{n=plain:290:540}{_}K",
            "reflux",
            "-{n=plain:5:78}{_}°C",
        ),
        "melting": ("{n=plain:61:99}-{m=plain:100:104}{_}°C", "{n=plain:105:290}{_}°C"),
        "place": (
            "Lab {n=plain:2:30}",
            "the cold room",
            "Bay {n=plain:1:14}",
            "the teaching lab",
            "the pilot plant",
            "the store room",
        ),
    },
    types={"compound": "product", "reagent": "product", "solvent": "product", "place": "place"},
    templates=(
        T(
            "<<s:<<o:{^compound!product}>> <<v:prepared>> <<d:from {amount} of {reagent}>>, yield"
            " {y=pct:11:97}>>. // <<n:Stirred in {volume} {solvent} at {heat} for {h=plain:2:30}"
            " hours, then filtered. The product: {form}, {colour}.>>",
            "synthesis=chemistry/preparation",
            GOOD,
            gist="{^compound} prepared, yield {y}",
            concepts="{compound}",
        ),
        T(
            "Titration: <<gs:{a=volume} of {reagent#!titrant} against {b=volume}"
            " {reagent2#!sample}>>. // <<n:The {indicator} turned {colour} after {span};"
            " {person!did it} {x=flip:accepted/discarded} the reading and <<v:ran>>"
            " <<o:{k=plain:2:6} more>>.>>",
            "titration=chemistry/analysis",
            "success neutral routine/failure frustrating routine",
        ),
        T(
            "<<gs:{^compound!purified} from {solvent!solvent} gave {form}, mp {melting}>>. //"
            " <<n:We <<v:dried>> <<o:{amount}>> <<d:at {heat}>>; {method#} {x=flip:showed no/still"
            " showed} {reagent}.>>",
            "purification=chemistry/preparation",
            "success satisfying routine/failure frustrating routine",
            concepts="{compound}",
        ),
        T(
            "<<gs:Run with {compound#!target} {x=flip:succeeded/failed}>> in {place!where it ran}:"
            " {mishap}, {y=flip:yet the product survived/and the product was lost}. //"
            " <<n:{person!chemist} will <<v:repeat>> <<o:it>> <<d:on {date}>> with {amount} of"
            " {reagent}.>>",
            "experiment=chemistry/preparation",
            "success satisfying notable/failure frustrating notable",
        ),
        T(
            "SPILL: <<gs:{volume} of {solvent!spilled} in {place!where it was spilled}>> because"
            " <<b:{mishap}>>. // <<n:{person!reported it} <<v:cleared>> <<o:the room>> <<d:at"
            " {time}>>; {x=flip:nobody was hurt/one student was hurt}.>>",
            "spill=chemistry/safety",
            "success concerning important/failure concerning critical",
        ),
        T(
            "<<gs:Use {reagent#!right reagent}, not {reagent2#!wrong reagent}, with"
            " {compound!product}>>. // <<n:The sheet of {date} had the two mixed up; {strength} is"
            " right, and {person!checked the sheet} <<v:corrected>> <<o:page {p=plain:3:90}>>.>>",
            "correction=chemistry/documentation",
            "success neutral notable",
            swap="reagent reagent2",
        ),
        T(
            "The sample from {city!origin of the sample} arrived as {form}, {colour}, with a smell"
            " of {solvent}. <<n:<<s:{person!analyst} <<v:dissolved>> <<o:{amount}>> <<d:in"
            " {volume} of {solvent2}>> and recorded {method} and {method2} data.>> The main peak"
            " at {f=dec:1.10:9.90} ppm {x=flip:fits/does not fit} {compound#!suspected substance},"
            " and the melting point of {melting} {y=flip:agrees/disagrees as well}.>> A second"
            " extract with {reagent}, {strength}, stood at {heat} for {h=plain:3:48} hours and"
            " turned {colour2}. {person2!head of the lab} wants a report by {date}.",
            "analysis=chemistry/identification",
            "success satisfying notable/ongoing concerning notable",
            gist="sample from {city}, {compound}",
            layout="prose",
        ),
        T(
            "- Batch: {k=plain:12:980}\n- Substance: {compound#!substance}\n- Solvent:"
            " {solvent!solvent}\n- Temp: {heat}\n- pH: {a=dec:1.5:12.9}\n- Yield: {y=pct:9:98}\n-"
            " {method}: {x=flip:pass/fail}",
            "batch record=chemistry/production",
            "success neutral routine/failure concerning notable",
            gist="{compound}, batch {k}: {method} {x}",
            summary="{compound} batch {k} in {solvent} at {heat}, yield {y}, {method} {x}",
            layout="prose",
        ),
        T(
            "<<gs:{^compound#!more soluble} is more soluble in {solvent!solvent} than"
            " {compound2#!less soluble}>>: {a=dec:5.1:40.0} against {b=dec:0.2:5.0} g/L at"
            " {t=plain:15:40}{_}°C. // <<n:{person!measured it} <<v:measured>> <<o:both>> <<d:in"
            " {place!measured there}>>.>>",
            "solubility=chemistry/properties",
            swap="compound compound2",
        ),
        T(
            "((ugh,|hm,|note:)) <<gs:the {device} {x=flip:works again/is broken again}>>,"
            " {mishap}. // <<n:{person!user} <<v:moved>> <<o:the {compound#!moved substance}>>"
            " <<d:to {place!new place}>>, {amount} in {k=plain:2:9} vials>>",
            "equipment=chemistry/laboratory",
            "success satisfying routine/failure frustrating routine",
        ),
        T(
            "<<gs:Storage: {reagent#!stored} {x=flip:away from/next to} {reagent2#!stored}>>,"
            " {place!store}, below {t=plain:8:30}{_}°C. // <<n:{person!safety officer}"
            " <<v:checks>> <<o:the cabinet>> every {k=plain:2:9} weeks <<t:to keep the stock"
            " dry>>.>>",
            "storage=chemistry/safety",
        ),
        T(
            "pH of the {compound#!measured} solution <<gs:went from {a=dec:1.5:12.9} to"
            " {b=dec:1.5:12.9} when {reagent!added} was added>>. // <<n:After {volume} at"
            " {strength} it turned {colour}, which led to <<e:a precipitate>> within {span}.>>",
            "acidity=chemistry/measurement",
            swap="a b",
            gist="pH of the {compound} solution went from {a} to {b}",
            summary="pH of the {compound} solution went from {a} to {b} when {reagent} was added",
        ),
    ),
)
