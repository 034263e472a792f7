"""Word tables for reading real English texts: verbs, stop words, names and known terms.

Plain data and the inflection of regular verbs. It knows no grammar: whether a word that may be a
verb is one in its sentence is decided where the tables are used.
"""


def words_of(text: str) -> frozenset[str]:
    """The words of a table."""
    return frozenset(text.split())


VERBS = words_of(
    """
    abandon abort accept access achieve acquire add address adjust admit adopt advise affect aim
    allocate allow alter amend announce appear append apply appoint approve archive arrange ask
    assemble assign attack attempt authorise authorize avoid awaken bake beat become begin bless
    blend block boil bombard bounce break bring broil brush build burn bypass calculate call
    cancel capture cast change charge check chill choose chop clarify clean clear climb close coat
    collect combine compile complain complete compose compute conclude conduct confirm connect
    conquer consider construct consult consume contain continue contract control convert cook cool
    copy correct corrupt cover craft crash create cross crush cut cure deallocate decide declare
    decode decrease defeat defend define defy delete deliver demand demonstrate denote deny depend
    deprecate derive describe deserialize design destroy detect determine develop devise dice
    diagnose discard discharge disclose discontinue discover discuss dissolve divide document
    download drain draw drink drive drizzle drop dry duplicate earn eliminate embed employ enable
    encode encounter encourage end enforce enhance ensure enter escape establish evaluate examine
    exceed exclude execute expand expel experience explain explode exploit explore export expose
    extend extract fail feel fetch fight file fill finish fix flip flood fold follow forbid force
    forge form free freeze fry gain garnish gather generate give grant grate grease grill grind
    guarantee guard handle hash heat help hide hold identify ignore implement import improve
    include incorporate increase infect inform inherit initialize inject insert inspect install
    integrate introduce invade invent investigate invoke issue join keep kill knead lack launch
    lay layer lead leak leave let lift limit link list load lock lose lower maintain make manage
    manipulate marinate mash measure melt mention merge migrate mince mix modify monitor move name
    need normalize note notice notify obtain offer omit open operate optimize order outline
    overflow overload override overwrite panic parse pass patch peel perform permit pick place
    plan poach pour prefer preheat prepare prescribe present preserve press prevent print prohibit
    promise promote propose protect prove provide publish pull purchase purge push put quit raise
    reach read rebuild receive recheck recognize recommend record recover redefine redirect reduce
    refactor refer refuse register reject release relax reload remain remove rename render reopen
    replace report represent request require rescue resolve respond rest restart restore restrict
    restructure retain retrieve return reunite reveal review rewrite rinse rise roast roll rotate
    rub run sail save scatter schedule scramble season seal select sell send separate serialize
    serve set settle shake shape share ship shorten show shred sign simmer simplify skip slice
    smoke smuggle soak solve specify speed spell spend split spoof spread sprinkle squeeze
    stabilize standardize start state steal steam sterilize stir stop store strain streamline
    strengthen stretch strike strip submit suffer suggest supersede supply support surrender
    suspend sustain swallow switch take taste teach terminate test thaw throw tie toast top toss
    trace track transfer transform translate transmit transport treat trigger trim truncate turn
    undergo unify unite update upgrade upload use validate verify violate visit vote warm wash
    whip whisk win withdraw wrap write yank yield
    """
)
IRREGULAR = {
    "become": ("became", "become"),
    "beat": ("beat", "beaten"),
    "begin": ("began", "begun"),
    "break": ("broke", "broken"),
    "bring": ("brought", "brought"),
    "build": ("built", "built"),
    "choose": ("chose", "chosen"),
    "draw": ("drew", "drawn"),
    "drink": ("drank", "drunk"),
    "drive": ("drove", "driven"),
    "feel": ("felt", "felt"),
    "fight": ("fought", "fought"),
    "forbid": ("forbade", "forbidden"),
    "freeze": ("froze", "frozen"),
    "give": ("gave", "given"),
    "grind": ("ground", "ground"),
    "hide": ("hid", "hidden"),
    "hold": ("held", "held"),
    "keep": ("kept", "kept"),
    "lay": ("laid", "laid"),
    "lead": ("led", "led"),
    "leave": ("left", "left"),
    "lose": ("lost", "lost"),
    "make": ("made", "made"),
    "overwrite": ("overwrote", "overwritten"),
    "override": ("overrode", "overridden"),
    "rebuild": ("rebuilt", "rebuilt"),
    "rewrite": ("rewrote", "rewritten"),
    "run": ("ran", "run"),
    "sell": ("sold", "sold"),
    "send": ("sent", "sent"),
    "shake": ("shook", "shaken"),
    "show": ("showed", "shown"),
    "spend": ("spent", "spent"),
    "steal": ("stole", "stolen"),
    "strike": ("struck", "struck"),
    "take": ("took", "taken"),
    "teach": ("taught", "taught"),
    "throw": ("threw", "thrown"),
    "undergo": ("underwent", "undergone"),
    "win": ("won", "won"),
    "withdraw": ("withdrew", "withdrawn"),
    "write": ("wrote", "written"),
}
UNCHANGED_PAST = words_of(
    """
    cut let put quit read set split spread shed
    """
)
DOUBLING = words_of(
    """
    chop drop flip permit plan quit rub ship skip split step stir stop strip submit top trim whip
    wrap omit admit transfer control put cut let set run begin win
    """
)
BASE, THIRD, PAST, PARTICIPLE, GERUND = "base", "third", "past", "participle", "gerund"

DETERMINERS = words_of(
    """
    a an the this that these those its his her their our my your no any some each every all both
    several many few another
    """
)
PREPOSITIONS = words_of(
    """
    about above across after against along among around as at before behind below beneath beside
    between beyond by despite down during except for from in inside into like near of off on onto
    out outside over past per since through throughout till to toward towards under until unto up
    upon via with within without
    """
)
CONJUNCTIONS = words_of(
    """
    and or but nor so yet because although though while whereas if unless when whenever where that
    which who whom whose than then however therefore thus hence also
    """
)
PRONOUNS = words_of(
    """
    i me we us you he him she it they them itself himself herself themselves one there who which
    what whatever
    """
)
AUXILIARIES = words_of(
    """
    am is are was were be been being has have had having do does did doing can could may might
    must shall should will would cannot not
    """
)
OTHER_STOPS = words_of(
    """
    able actually again ago almost already always another anything approximately available back
    bad based best better big certain certainly common complete correctly current currently day
    days different done due easily easy either else enough entire especially etc even ever
    everything example extra far fine finally first following four frequently full fully further
    general generally good great hand hard high highly how idea important instead issue itself
    just kind large last late later least left less likely little long longer lot low made main
    make making mostly much multiple necessary need needed new next nice normal nothing now number
    often old only original other others otherwise own part particular particularly place please
    point possible possibly potentially previous previously problem properly quite rather really
    recent recently remaining respectively right same second seem seems set several short should
    similar simple simply single small sometimes soon specific still such sure taken than thing
    things third three time times today together too two type under unfortunately use used useful
    user usually various very want way ways week weeks well what while whole why work works year
    years yesterday yet affected version versions crate crates library function functions patient
    document proposal pep minute minutes hour hours month months aboard someone anyone everyone
    means default using amount case cases result results lots addition order fact suggested
    """
)
FUNCTION_WORDS = DETERMINERS | PREPOSITIONS | CONJUNCTIONS | PRONOUNS | AUXILIARIES
STOPS = FUNCTION_WORDS | OTHER_STOPS
VAGUE = words_of(
    """
    abstract additional arbitrary broken complete complex dangerous default direct dynamic empty
    explicit external formal global illegal implicit improper incorrect inherent insufficient
    internal invalid limited local malicious maximum minimal minimum missing mutable optional
    overall potential private public random raw safe sane selected separate shared simplified
    standard static strict temporary unchecked unexpected unique unsafe unsound untrusted valid
    various vulnerable weak wrong independent significant social prior chief positive negative
    middle impl implementation implementations element elements cause effect impact details use
    users behavior behaviour value values object objects information feature features length thing
    people sense moment amount rationale remnants
    happens concrete methods place kind sort ability possibility
    """
)

FIRST_NAMES = words_of(
    """
    Aaron Abraham Adam Ada Agnes Alan Albert Alberto Alex Alexander Alexandre Alexey Alfred Alice
    Alyssa Amelia Amy Ana Anders Andre Andreas Andrew Andrey Andy Angela Ann Anna Anne Anthony
    Anton Antonio Antonin Arnold Arthur August Barbara Barry Bela Ben Benjamin Bernard Bertrand
    Bill Billie Billy Bob Bobby Boris Brad Brett Brian Bruce Bruno Buddy Carl Carla Carlos Carol
    Caroline Catherine Charles Charlie Chris Christian Christina Christine Christoph Christopher
    Chuck Clara Claude Claudio Colin Craig Dan Daniel David Dean Dennis Diana Dmitry Don Donald
    Dorothy Douglas Duke Dwight Edgar Eduardo Edward Edwin Eleanor Elena Elizabeth Ella Emily Emma
    Enrico Eric Erik Ernest Ernst Eugene Eva Felix Ferdinand Fernando Florence Francesco Francis
    Franco Frank Franz Fred Frederic Frederick Friedrich Gabriel Gary George Georg Georges Gerald
    Gilbert Giovanni Giuseppe Glenn Gordon Grace Graham Greg Gregory Guido Gustav Guy Hans Harold
    Harry Hector Heinrich Helen Henri Henrik Henry Herbert Herman Howard Hugh Hugo Ian Igor Ingrid
    Isaac Isabel Ivan Jack Jacob Jacques James Jan Jane Janet Janis Jason Jay Jean Jeff Jeffrey
    Jennifer Jeremy Jerry Jessica Jesse Jim Jimi Jimmy Joan Joe Joel Johann Johannes John Johnny
    Jon Jonathan Jorge Jose Joseph Joshua Juan Juergen Julia Julian Julie Julien Jun Karen Karl
    Kate Katherine Keith Ken Kenneth Kevin Kim Kurt Larry Laura Lawrence Lee Leo Leon Leonard
    Leonardo Leonhard Leopold Leslie Lewis Linda Linus Lisa Lou Louis Louise Lucas Lucy Ludwig
    Luigi Luis Luke Marc Marcel Marco Margaret Maria Marie Mario Mark Martha Martin Mary Mathias
    Matt Matthew Maurice Max Michael Michel Miguel Mike Mikhail Miles Mohammed Monica Nathan Neil
    Nicholas Nick Nicolas Nikola Nikolai Nina Oliver Olga Oscar Otto Pablo Pamela Patricia Patrick
    Paul Paula Pavel Pedro Peter Phil Philip Philippe Pierre Rachel Ralph Ray Raymond Rebecca Rene
    Ricardo Richard Rick Robert Roberto Robin Roger Roland Ron Ronald Rosa Roy Rudolf Russell Ruth
    Ryan Sam Samuel Sandra Sara Sarah Scott Sean Sebastian Sergei Sergey Simon Sofia Sophie
    Stephen Steve Steven Stuart Susan Sven Ted Theodore Thomas Tim Timothy Tobias Todd Tom Tommy
    Tony Tyler Ulrich Vera Victor Vincent Viktor Vladimir Walter Warren Wayne Werner Wilhelm Will
    William Willie Wolfgang Yuri Yury Zachary
    """
)
PERSON_TITLES = words_of(
    """
    Dr Mr Mrs Ms Prof Professor Sir Lady Lord President Pope King Queen Emperor General Captain
    Senator Saint
    """
)
ORGANIZATION_ENDINGS = words_of(
    """
    Academy Agency Airlines Army Association Bank Board Bureau Church Clinic College Committee
    Commission Company Congress Consortium Corp Corporation Council Department Foundation
    Government Group Hospital Inc Institute Laboratories Laboratory Labs League Ltd Marines
    Ministry Museum Navy Office Orchestra Organization Parliament Party Police Senate Society
    Stores Systems Team University Union
    """
)
EVENT_ENDINGS = words_of(
    """
    Assassination Awards Battle Campaign Championship Conference Day Declaration Disaster
    Earthquake Exhibition Expedition Festival Fire Games Massacre Match Olympics Parade Prize
    Rebellion Revolution Riots Siege Summit Treaty War Wars
    """
)
PLACES = words_of(
    """
    Afghanistan Africa Alabama Alaska Algeria America Amsterdam Antarctica Argentina Arizona
    Arkansas Armenia Asia Athens Atlanta Australia Austria Azerbaijan Baltimore Bangladesh
    Barcelona Basel Bavaria Beijing Belarus Belgium Belgrade Berlin Bolivia Bombay Bosnia Boston
    Brazil Britain Brooklyn Brussels Bucharest Budapest Bulgaria Burma Calcutta California
    Cambodia Cambrai Cambridge Canada Chicago Chile China Cincinnati Cleveland Colombia Colorado
    Connecticut Copenhagen Croatia Cuba Cyprus Dallas Delaware Denmark Denver Detroit Dresden
    Dublin Ecuador Edinburgh Egypt England Estonia Ethiopia Europe Finland Florence Florida France
    Geneva Genoa Georgia Germany Ghana Glasgow Greece Greenland Guatemala Hamburg Hanoi Hawaii
    Helsinki Hiroshima Holland Honolulu Houston Hungary Iceland Idaho Illinois India Indiana
    Indonesia Iowa Iran Iraq Ireland Israel Istanbul Italy Jamaica Japan Jerusalem Johannesburg
    Kansas Kazakhstan Kentucky Kenya Kiev Korea Kuwait Kyoto Latvia Lebanon Leipzig Leningrad
    Liechtenstein Lisbon Lithuania Liverpool London Louisiana Luxembourg Lyon Madrid Maine
    Malaysia Malta Manchester Manhattan Maryland Massachusetts Memphis Mexico Miami Michigan Milan
    Milwaukee Minneapolis Minnesota Mississippi Missouri Moldova Mongolia Montana Montreal Morocco
    Moscow Munich Nagasaki Naples Nashville Nebraska Nepal Netherlands Nevada Nicaragua Nigeria
    Normandy Norway Odessa Ohio Oklahoma Ontario Oregon Oslo Ottawa Oxford Pakistan Panama
    Paraguay Paris Pennsylvania Peru Philadelphia Philippines Pittsburgh Poland Portland Portugal
    Prague Quebec Romania Rome Russia Salzburg Sarajevo Scotland Seattle Serbia Shanghai Siberia
    Sicily Singapore Slovakia Slovenia Spain Stalingrad Stockholm Stuttgart Sweden Switzerland
    Sydney Syria Taiwan Tennessee Texas Thailand Tibet Tokyo Toronto Toulouse Tripoli Tunisia
    Tuscany USA USSR Uganda Ukraine Uruguay Utah Venezuela Venice Vermont Vienna Vietnam Virginia
    Wales Warsaw Wisconsin Wyoming Yugoslavia Zambia Zurich
    """
) | {
    "United States",
    "United Kingdom",
    "Great Britain",
    "New York",
    "New York City",
    "New Orleans",
    "New Jersey",
    "New Mexico",
    "New Hampshire",
    "New England",
    "New Zealand",
    "North Carolina",
    "South Carolina",
    "North Dakota",
    "South Dakota",
    "West Virginia",
    "Rhode Island",
    "South Africa",
    "Hong Kong",
    "Los Angeles",
    "San Francisco",
    "San Diego",
    "Washington DC",
    "Czech Republic",
    "Czechoslovakia",
    "Soviet Union",
    "Russian Federation",
    "Sri Lanka",
    "Cape Cod",
}
SOFTWARE = (
    "Python|CPython|PyPy|Jython|IronPython|Cython|NumPy|SciPy|PyPI|pip|setuptools|distutils|"
    "Windows|Linux|macOS|Mac OS X|Unix|FreeBSD|OpenBSD|NetBSD|Debian|Ubuntu|Solaris|Android|iOS|"
    "Git|Mercurial|Subversion|GitHub|GitLab|Rust|Cargo|Java|JavaScript|WebAssembly|Wasm|OpenSSL|"
    "Docker|Kubernetes|PostgreSQL|SQLite|MySQL|Redis|Chrome|Firefox|LLVM|GCC|glibc|Bash|Perl|"
    "Ruby|Haskell|Tcl|Tokio|wasmtime|Wasmtime|Emscripten|Sphinx|Zope|Django|Flask|Twisted|"
    "asyncio|Ethernet|UNIX|MS-DOS"
)
ORGANIZATIONS = (
    "NASA|IBM|DEC|AT&T|Microsoft|Google|Intel|Xerox|Bell Labs|Mozilla|Python Software Foundation|"
    "PSF|United Nations|UN|NATO|FBI|CIA|BBC|FDA|CDC|MIT|Supreme Court|US Congress|US Marines|"
    "US Army|US Navy|Radio Shack|Trail of Bits|Red Hat|Facebook"
)

TERMS = (
    # security and software
    "memory corruption|memory exposure|memory safety|undefined behavior|undefined behaviour|"
    "use-after-free|use after free|double free|double-free|out-of-bounds read|"
    "out-of-bounds write|out of bounds|buffer overflow|heap overflow|stack overflow|"
    "integer overflow|data race|data races|race condition|denial of service|denial-of-service|"
    "code execution|directory traversal|path traversal|open redirect|request smuggling|"
    "timing attack|side channel|side-channel|uninitialized memory|null pointer|dangling pointer|"
    "panic safety|soundness|unsound|unmaintained|deprecated|certificate validation|"
    "signature verification|type confusion|infinite loop|memory leak|resource exhaustion|"
    "privilege escalation|cross-site scripting|thread safety|garbage collection|"
    "garbage collector|type hints|type annotations|type checkers|type checking|type system|"
    "function annotations|release schedule|standard library|list comprehensions|"
    "generator expressions|decorators|metaclasses|metaclass|exception handling|exceptions|"
    "context managers|iterators|generators|coroutines|namespace packages|string formatting|"
    "string literals|pattern matching|operator overloading|byte code|bytecode|packaging|"
    "package index|source distributions|virtual environments|import system|import hooks|unicode|"
    "backwards compatibility|backward compatibility|code style|governance|buffer protocol|"
    "version control|parser|grammar|syntax|"
    # medicine
    "hypertension|diabetes|diabetes mellitus|asthma|stroke|breast cancer|colon cancer|"
    "lung cancer|prostate cancer|cancer|coronary artery disease|heart disease|heart attack|"
    "heart failure|pneumonia|arthritis|osteoarthritis|osteoporosis|depression|anxiety|migraine|"
    "migraines|headache|headaches|chest pain|back pain|neck pain|knee pain|abdominal pain|"
    "shoulder pain|shortness of breath|weight loss|fever|nausea|vomiting|cough|fatigue|dizziness|"
    "seizure|seizures|numbness|weakness|rash|infection|urinary tract infection|hypothyroidism|"
    "hyperlipidemia|high blood pressure|blood pressure|cholesterol|kidney disease|renal failure|"
    "sleep apnea|obesity|dementia|insomnia|alcohol use|tobacco use|tobacco|alcohol|smoking|"
    "drug use|illicit drugs|family history|social history|drug allergies|allergies|hysterectomy|"
    "appendectomy|cholecystectomy|tonsillectomy|cesarean section|surgery|physical therapy|"
    "pregnancy|medications|review of systems|"
    # cooking
    "olive oil|soy sauce|baking powder|puff pastry|tomato sauce|garlic|onion|onions|chicken|beef|"
    "pork|fish|salmon|shrimp|pasta|spaghetti|rice|potatoes|potato|tomatoes|tomato|cheese|butter|"
    "cream|yogurt|eggs|flour|dough|bread|pizza|pancakes|soup|stew|curry|salad|sauce|beans|"
    "lentils|chickpeas|mushrooms|spinach|cabbage|carrots|lemon|chocolate|cake|cookies|dessert|"
    "breakfast|"
    # history
    "nobel prize|world war|civil war|rocket|satellite|spacecraft|earthquake|constitution|treaty|"
    "independence|election|patent|symphony|opera|album|telephone|television|radio|railroad|"
    "airplane"
)
CHINESE_TERMS = (
    "家常菜|小吃|下饭菜|快手菜|甜品|汤品|早餐|主食|凉菜|饮品|炖菜|蒸菜|火锅|烧烤|面条|米饭|鸡蛋|"
    "猪肉|牛肉|羊肉|鸡肉|排骨|五花肉|豆腐|土豆|番茄|茄子|青椒|白菜|黄瓜|蘑菇|虾|鱼"
)


def inflections() -> dict[str, tuple[str, str]]:
    """Every form of every verb: form -> (base form, which form it is).

    Where a form is both a past and a participle it counts as a past.
    """
    forms: dict[str, tuple[str, str]] = {}
    for verb in sorted(VERBS):
        stem = verb + verb[-1] if verb in DOUBLING else verb
        if verb.endswith("e"):
            past, gerund = verb + "d", verb[:-1] + "ing"
        elif verb.endswith("y") and verb[-2] not in "aeiou":
            past, gerund = verb[:-1] + "ied", verb + "ing"
        else:
            past, gerund = stem + "ed", stem + "ing"
        participle = past
        if verb in IRREGULAR:
            past, participle = IRREGULAR[verb]
        elif verb in UNCHANGED_PAST:
            past = participle = verb
        if verb == "tie":
            gerund = "tying"
        for form, kind in (
            (participle, PARTICIPLE),
            (past, PAST),
            (gerund, GERUND),
            (_third_person(verb), THIRD),
            (verb, BASE),
        ):
            forms[form] = (verb, kind)
    return forms


def _third_person(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    if verb.endswith(("s", "sh", "ch", "x", "z")):
        return verb + "es"
    return verb + "s"
