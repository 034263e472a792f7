"""Clinical notes with invented patients: visits, wards, prescriptions and results."""

from spokesmith.data.kinds.family import Kind, T

WATCH = "ongoing concerning important"

KIND = Kind(
    name="clinical_note",
    prefixes=("{date} {time}: ", "Clinic note. ", "Ward round: ", "Nursing note: ", "Addendum: "),
    words={
        "complaint": (
            "a dry cough",
            "chest tightness",
            "a sore throat",
            "lower back pain",
            "a throbbing headache",
            "dizziness on standing",
            "nausea after meals",
            "left knee pain",
            "a spreading rash",
            "night sweats",
            "blurred vision",
            "palpitations",
            "ankle swelling",
            "an earache",
            "heartburn",
            "numb fingers",
            "poor sleep",
            "leg cramps",
            "hoarseness",
            "abdominal cramps",
            "a stiff neck",
            "itchy eyes",
            "shortness of breath",
            "loss of appetite",
            "ringing in the ears",
            "a nosebleed",
            "burning on urination",
            "a swollen wrist",
            "jaw pain",
            "unexplained bruising",
        ),
        "finding": (
            "chest clear",
            "abdomen soft",
            "lungs with fine crackles at the base",
            "throat red, no pus",
            "pupils equal",
            "mild pitting oedema",
            "no neck stiffness",
            "a soft systolic murmur",
            "tender over the sinuses",
            "reflexes brisk",
            "capillary refill {n=plain:1:4} s",
            "a {n=plain:3:28}{_}mm lesion on the forearm",
            "gait steady",
            "tonsils enlarged",
        ),
        "illness": (
            "bronchitis",
            "pneumonia",
            "migraine",
            "gastritis",
            "sinusitis",
            "tendinitis",
            "sciatica",
            "hypertension",
            "atrial fibrillation",
            "iron deficiency",
            "contact dermatitis",
            "asthma",
            "gout",
            "shingles",
            "cellulitis",
            "tonsillitis",
            "vertigo",
            "anaemia",
            "otitis media",
            "plantar fasciitis",
            "hypothyroidism",
            "a viral infection",
            "a urinary infection",
            "reflux",
            "carpal tunnel syndrome",
            "a stress fracture",
            "conjunctivitis",
            "dehydration",
        ),
        "drug": (
            "amoxicillin",
            "ibuprofen",
            "metformin",
            "lisinopril",
            "atorvastatin",
            "omeprazole",
            "sertraline",
            "prednisone",
            "amlodipine",
            "gabapentin",
            "furosemide",
            "cetirizine",
            "naproxen",
            "azithromycin",
            "doxycycline",
            "losartan",
            "metoprolol",
            "clopidogrel",
            "paracetamol",
            "ciprofloxacin",
            "fluoxetine",
            "ondansetron",
            "bisoprolol",
            "montelukast",
            "allopurinol",
            "cefuroxime",
            "ramipril",
            "spironolactone",
            "mirtazapine",
            "pantoprazole",
            "loratadine",
            "colchicine",
            "apixaban",
            "tamsulosin",
            "duloxetine",
            "nitrofurantoin",
            "diclofenac",
        ),
        "dose": (
            "{n=plain:1:9}0{_}mg",
            "{n=plain:1:9}00{_}mg",
            "{n=plain:1:9}50{_}mg",
            "5{_}mg",
            "2.5{_}mg",
            "{n=plain:1:9}25{_}mg",
            "1{_}g",
            "75{_}mg",
        ),
        "often": (
            "once daily",
            "twice daily",
            "three times a day",
            "every {n=plain:4:12} hours",
            "at night",
            "with meals",
            "every other day",
            "before breakfast",
        ),
        "sex": ("man", "woman"),
        "years": ("{n=plain:19:79}",),
        "pressure": (
            "{n=plain:98:188}/{m=plain:54:108}{_}mmHg",
            "{n=plain:98:188}/{m=plain:54:108}",
        ),
        "pulse": ("{n=plain:52:138} bpm", "{n=plain:52:138}/min"),
        "temperature": ("{n=dec:36.1:40.2}{_}°C",),
        "allergen": (
            "penicillin",
            "latex",
            "codeine",
            "sulfonamides",
            "aspirin",
            "iodine contrast",
            "morphine",
            "adhesive tape",
            "cephalosporins",
            "bee venom",
            "eggs",
        ),
        "reaction": (
            "hives",
            "facial swelling",
            "a rash",
            "vomiting",
            "wheezing",
            "a drop in blood pressure",
        ),
        "test": (
            "chest X-ray",
            "ECG",
            "ultrasound",
            "MRI of the knee",
            "CT of the head",
            "blood count",
            "echocardiogram",
            "urine culture",
            "lung function test",
            "throat swab",
            "gastroscopy",
        ),
        "marker": (
            "haemoglobin",
            "potassium",
            "creatinine",
            "glucose",
            "CRP",
            "ferritin",
            "sodium",
            "TSH",
        ),
        "unit": ("mmol/L", "mg/L", "g/L", "µmol/L", "ng/mL"),
        "ward": (
            "Ward {n=plain:2:14}",
            "Room {n=plain:101:480}",
            "Bed {n=plain:1:38}",
            "Bay {n=plain:1:9}",
            "the day clinic",
            "the stroke unit",
            "the emergency department",
        ),
        "limb": ("knee", "hip", "wrist", "shoulder", "ankle", "elbow", "eye", "ear"),
        "habit": ("salt", "coffee", "alcohol", "sugary drinks", "heavy lifting", "late meals"),
    },
    types={"ward": "place", "allergen": "product"},
    templates=(
        T(
            "<<gs:{fullname!patient}, {years}, <<v:reports>> <<o:{complaint#}>> <<d:for"
            " {k=plain:2:21} days>>>>. // Temp {temperature}, BP {pressure}, pulse {pulse}. //"
            " <<n:Started {drug!prescribed drug} {dose} {often}; review on {date}.>>",
            "outpatient visit=health/primary care",
            "ongoing neutral notable",
        ),
        T(
            "S: {complaint#} x {k=plain:2:14} days. // O: T {temperature}, BP {pressure},"
            " {finding}. // A: <<gs:likely {illness#}>>. // P: <<n:{drug!planned drug} {dose}"
            " {often}, back in {w=plain:1:6} weeks>>.",
            "soap note=health/assessment",
            "ongoing neutral notable",
            gist="likely {illness}, {complaint}",
            summary="likely {illness}: {complaint} x {k} days, {drug} {dose} {often}",
        ),
        T(
            "<<gs:{^drug!changed drug} for {fullname!patient} changed from {a=plain:1:40}0 to"
            " {b=plain:1:40}0{_}mg>> {often}. // <<n:The last {marker} was {c=dec:1.1:9.9} {unit};"
            " {person!checks the change} will <<v:check>> <<o:it>> again <<d:on {date}>>.>>",
            "dose change=health/medication",
            "ongoing neutral notable",
            swap="a b",
        ),
        T(
            "ALLERGY: <<gs:{fullname!patient} {x=flip:is allergic/is not allergic} to"
            " {allergen#!tested substance}>>. // <<n:Exposure on {date} {y=flip:caused a clear"
            " reaction/gave no reaction} within {m=plain:3:55} minutes.>> // <<v:Update>> <<o:the"
            " chart>>[[ of {ward!where the patient lies}]].",
            "allergy=health/allergies",
            "ongoing concerning critical/success neutral notable",
        ),
        T(
            "A {years}-year-old {sex} was <<n:<<gs:<<v:admitted>> <<d:to {ward!admitting ward}>>"
            " with <<o:{complaint#}>>>> after {k=plain:2:30} hours at home. {^finding}; BP was"
            " {pressure} and the pulse {pulse}. The {test#} {x=flip:confirmed/ruled out}"
            " {illness#}.>> {^drug!given drug} {dose} was given {often}, and {person!attending"
            " doctor} will <<v:review>> <<o:the {marker}>> <<d:on {date}>>.[[ Relatives were"
            " informed at {time}.]]",
            "hospital admission=health/inpatient care",
            "ongoing concerning important/ongoing neutral important",
            summary="A {years}-year-old {sex} was admitted to {ward} with {complaint}",
            layout="prose",
        ),
        T(
            "<<gs:{^test#} of {fullname!patient}: {x=flip:normal/abnormal}>>. // {^marker}"
            " <<n:went from {a=dec:2.0:9.9} to {b=dec:2.0:9.9} {unit} within {w=plain:2:9}"
            " weeks.>>",
            "test result=health/diagnostics",
            "success satisfying notable/ongoing concerning important",
            swap="a b",
            narrative="{^marker} went from {a} to {b} {unit} within {w} weeks.",
        ),
        T(
            "<<gs:<<v:Stopped>> <<o:{drug!withdrawn drug}>> because of <<b:{reaction#}>>>>,"
            " <<n:switched to {drug2!new drug} {dose} {often}>>. // Pt in {ward!ward}"
            " {x=flip:feels better/feels worse} today.",
            "side effect=health/medication",
            "success satisfying notable/ongoing concerning important",
            swap="drug drug2",
            narrative="Stopped {drug} because of {reaction}, switched to {drug2} {dose} {often}.",
        ),
        T(
            "Night shift, {ward!ward}: <<gs:{person!patient} slept {h=plain:2:9} hours, pain"
            " {a=plain:1:9}/10>>. // <<n:Gave {drug!given at night} {dose} at {time}, pain"
            " {x=flip:settled/did not settle} after {m=plain:15:70} minutes.>> // BP {pressure}.",
            "nursing handover=health/nursing",
            "success neutral routine/ongoing concerning notable",
        ),
        T(
            "<<gs:Surgery on the {side=flip:left/right} {limb#} of {fullname!patient} is set for"
            " {date}>>. // <<n:The consent form wrongly said the {other=flip:right/left} {limb};"
            " {person!surgeon} <<v:corrected>> <<o:it>> <<d:at {time}>>.>>",
            "surgery planning=health/safety",
            "success concerning critical",
        ),
        T(
            "Discharged today: <<gs:{fullname!patient}, {illness#}, {k=plain:2:19} days in"
            " {ward!ward}>>. // Meds: {drug!discharge drug} {dose} {often}, {drug2!discharge drug}"
            " {dose2} {often2}. // <<n:<<v:Avoid>> <<o:{habit}>> <<d:for {w=plain:2:8} weeks>>,"
            " then see {person!follow-up doctor}.>>",
            "discharge=health/inpatient care",
            "success satisfying notable",
        ),
        T(
            "pt called, <<gs:{complaint#} again since {weekday}>>, <<n:{x=flip:took/forgot} the"
            " {drug!home drug} {dose}, told to <<v:come>> <<o:in>> <<d:at {time}>>>>",
            "phone call=health/primary care",
            "ongoing neutral routine/ongoing concerning routine",
        ),
        T(
            "<<gs:{person!referring doctor} <<v:referred>> <<o:{fullname!patient}>> to"
            " {person2!receiving doctor}>> <<t:to rule out {illness#}>>. // <<n:The {test#} of"
            " {date} was unclear, with {complaint} for {w=plain:2:16} weeks now.>>",
            "referral=health/specialist care",
            "ongoing concerning notable",
            swap="person person2",
        ),
    ),
)
