"""Topics of a text: areas of life with the cue words that speak for each.

A cue list per area, English but for a few Chinese ones on cooking. An area counts only where its
gate (what a text of that field surely mentions) is open, so that a stray word decides nothing.
"""

import re

from spokesmith.data.gold import CJK
from spokesmith.data.sentences import DATE_START

AREAS = {
    "security/memory safety": r"memory corruption|use[- ]after[- ]free|double[- ](?:free|drop)|"
    r"out[- ]of[- ]bounds|buffer overflow|uninitiali[sz]ed|undefined behaviou?r|unsound|soundness|"
    r"dangling|segfault|dereferenc\w+|null pointer",
    "security/denial of service": r"denial[- ]of[- ]service|panics?|crash(?:es)?|stack overflow|"
    r"infinite loop|resource exhaustion|unbounded",
    "security/concurrency": r"data races?|thread[- ]safety|Send|Sync|threads?",
    "security/cryptography": r"signatures?|timing|nonces?|encrypt\w*|decrypt\w*|cipher\w*|"
    r"certificates?|cryptograph\w+|TLS",
    "security/injection": r"injection|inject|xss|traversal|smuggling|sanitiz\w+|redirect|"
    r"malicious",
    "software/maintenance": r"unmaintained|maintained|deprecated|renamed|archived|maintainers?|"
    r"yanked|abandoned",
    "python/syntax": r"syntax|operators?|expressions?|keyword|grammar|literals?|statements?",
    "python/typing": r"type hints?|annotations?|generics?|typing|type checkers?|type system",
    "python/packaging": r"packag\w+|wheels?|distributions?|metadata|PyPI|distutils|installers?",
    "python/library": r"standard library|modules?|stdlib|class(?:es)?",
    "python/releases": r"release schedule|releases?|schedule",
    "python/interpreter": r"CPython|interpreters?|byte ?code|garbage collect\w+|C API|compiler",
    "python/concurrency": r"async\w*|coroutines?|generators?|await|threads?",
    "python/governance": r"core team|steering council|governance|core developers?|"
    r"votes?|elections?",
    "cooking/soup": r"soups?|broth|stew|chowder",
    "cooking/baking": r"bake|dough|oven|bread|cake|cookies|flour|knead",
    "cooking/sauce": r"sauces?|dip|dressing|mayonnaise|pesto|salsa",
    "cooking/meat": r"chicken|beef|pork|lamb|sausages?|bacon|meat",
    "cooking/fish": r"fish|salmon|tuna|shrimp|cod",
    "cooking/pasta": r"pasta|spaghetti|noodles|macaroni|lasagna",
    "cooking/vegetables": r"salad|potato(?:es)?|cabbage|beans|lentils|vegetables|mushrooms",
    "cooking/breakfast": r"eggs?|pancakes?|oats|breakfast|omelette",
    "medicine/medication": r"medications?|mg|tablets?|dose|daily|allerg\w+",
    "medicine/family history": r"mother|father|brother|sister|family history|siblings?",
    "medicine/social history": r"smok\w+|alcohol|tobacco|married|lives|illicit|drinks?",
    "medicine/surgery": r"surger\w+|\w+ectomy|operation|operative|repair",
    "medicine/symptoms": r"pains?|fever|nausea|vomiting|cough|swelling|numbness|weakness|"
    r"headaches?|complain\w*|denies|shortness of breath|symptoms?|rash",
    "medicine/chronic illness": r"diabetes|hypertension|asthma|hypothyroidism|arthritis|"
    r"hyperlipidemia|heart disease|depression|cancer|stroke",
    "medicine/examination": r"exam\w*|vital signs|blood pressure|x-ray|CT|MRI|ultrasound|alert",
    "history/births": r"born",
    "history/deaths": r"dies|died|death|executed",
    "history/war": r"wars?|battle|troops|invades?|invasion|surrenders?|bomb\w*|attacks?|army",
    "history/exploration": r"space\w*|rockets?|moon|satellite|expedition|landed|discover\w+|orbit",
    "history/technology": r"computers?|telephone|radio|television|patents?|invent\w+|PDP-\d+",
    "history/politics": r"president|constitution|election|independence|treaty|congress|parliament|"
    r"government|king|queen",
    "history/music": r"album|song|symphony|opera|concert|band|premiere\w*|recorded|Beatles",
    "calendar/holidays": r"holiday|festival|feast|day|eve|saint",
}
AREA_PATTERNS = {
    path: re.compile(rf"(?<!\w)(?:{cues})(?!\w)", re.IGNORECASE) for path, cues in AREAS.items()
}
GATES = {
    "python": re.compile(r"\bPEP \d|\b(?:Python|CPython|PyPI)\b"),
    "security": re.compile(
        r"vulnerab|attacker|corrupt|overflow|unsound|soundness|undefined behavi|use.after.free|"
        r"double.free|denial.of.service|data race|out.of.bounds|panic(?! attack)|uninitiali|unsafe|"
        r"malicious|`Send`|`Sync`|segfault|smuggling|timing attack|sql injection|code injection",
        re.IGNORECASE,
    ),
    "software": re.compile(r"crate|library|package|repository|maintain", re.IGNORECASE),
    "cooking": re.compile(
        r"ingredients|tbsp|tsp|\bcups?\b|oven|\bcook|\bbake|\bboil|simmer|\bfry|recipe|teaspoon",
        re.IGNORECASE,
    ),
    "history": DATE_START,
    "calendar": DATE_START,
}
CLINICAL_NOTE = "clinical note"
# Not a gate like the others: a recipe or a defect may mention a dose, a disease or a symptom.
MEDICINE_GATE = re.compile(
    r"\bpatients\b|\bthe patient\b|"
    r"\bpatient (?:is|was|has|had|denies|reports|presents|complains)\b|"
    r"\d ?mg\b|\bdiagnos(?:is|es|ed with)\b|\bsymptoms?\b|\bmedications?\b|\w{4}ectomy\b|"
    r"\b(?:nausea|vomiting|hypertension|diabetes|asthma|arthritis|blood pressure|heart disease|"
    r"chest pains?|shortness of breath)\b",
    re.IGNORECASE,
)
PLAIN_AREAS = {
    "security advisory": "software/defects",
    "design proposal": "python/design",
    "recipe": "cooking/dishes",
    CLINICAL_NOTE: "medicine/notes",
    "dated note": "history/dates",
}
CHINESE_AREAS = (
    ("cooking/soup", "汤|羹"),
    ("cooking/drinks", "饮品|奶茶|饮料|果汁|咖啡"),
    ("cooking/dessert", "甜品|蛋糕|饼干|布丁|甜点"),
    ("cooking/noodles", "面条|拌面|炒面|米粉|意面"),
    ("cooking/rice", "米饭|炒饭|粥|盖饭"),
    ("cooking/fish", "鱼|虾|蟹|海鲜"),
    ("cooking/meat", "猪肉|牛肉|羊肉|鸡肉|排骨|五花肉|鸡翅|鸡腿"),
    ("cooking/eggs", "鸡蛋"),
    ("cooking/vegetables", "青椒|茄子|土豆|豆腐|白菜|黄瓜|番茄"),
)


def find_topics(title: str, whole: str, concepts: list[str], domain: str) -> list[dict[str, str]]:
    """Up to two topics: the areas with the most cue words, labelled with words of the text."""
    ranked = _areas(title, whole, domain)
    labels = concepts[:]
    topics: list[dict[str, str]] = []
    for path, cues in ranked[:2]:
        near = [label for label in labels if any(cue.lower() in label for cue in cues)]
        label = (near or [cues[0].lower()])[0]
        if len(label) > 2 and all(label != topic["label"] for topic in topics):
            topics.append({"label": label, "path": path})
    if not topics and labels and domain:
        plain = re.sub(r"[^\w ]+.*", "", domain).strip().lower()
        path = PLAIN_AREAS.get(plain, f"{plain}/{labels[0]}")
        topics.append({"label": labels[0], "path": path})
    return topics


def _areas(title: str, whole: str, domain: str) -> list[tuple[str, list[str]]]:
    """Areas with the cue words they were chosen by, best first; the second needs two cues."""
    scores: list[tuple[int, str, list[str]]] = []
    if CJK.search(whole) and re.search("操作|做法|原料|食材", whole):
        for path, cues in CHINESE_AREAS:
            found = re.findall(cues, title or whole) or re.findall(cues, whole)[:1]
            scores.append((len(found) + 3 * bool(re.search(cues, title)), path, found))
    open_fields = _open_fields(whole, domain)
    for path, pattern in AREA_PATTERNS.items():
        if path.split("/")[0] not in open_fields:
            continue
        found = pattern.findall(whole)
        scores.append((min(len(found), 4) + 2 * len(pattern.findall(title)), path, found))
    best = sorted((one for one in scores if one[0] > 0), key=lambda one: -one[0])
    return [(path, found) for score, path, found in best if score >= 2 or path == best[0][1]]


def _open_fields(whole: str, domain: str) -> set[str]:
    """The fields that a text may be of; medicine only where no field but software is."""
    found = {field for field, gate in GATES.items() if gate.search(whole)}
    is_medical = domain == CLINICAL_NOTE or MEDICINE_GATE.search(whole)
    return found | {"medicine"} if is_medical and not found - {"software"} else found
