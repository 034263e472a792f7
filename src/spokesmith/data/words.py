"""Plain word lists that many kinds of text draw from. Data only."""


def listed(words: str) -> tuple[str, ...]:
    """The words of a text, parted by commas or line breaks."""
    return tuple(word.strip() for word in words.replace("\n", ",").split(",") if word.strip())


FIRST_NAMES = listed("""
Ana, Tomas, Ingrid, Yusuf, Mei, Priya, Kwame, Olga, Hiroshi, Fatima, Diego, Siobhan, Lars, Aisha
Chen, Marek, Zanele, Pavel, Leila, Noor, Joao, Camille, Anders, Thandiwe, Rafael, Sofia, Dmitri
Amara, Kenji, Elif, Matteo, Nadia, Oscar, Beatriz, Ravi, Hannah, Sven, Ifeoma, Lucia, Omar, Greta
Bao, Chidi, Esther, Felix, Gabriela, Hassan, Ilse, Jamal, Katya, Luca, Mina, Nikolai, Oluchi
Petra, Quinn, Rosa, Samir, Tereza, Uma, Viktor, Wanjiru, Ximena, Yara, Zoltan, Alejandro, Bronwyn
Cormac, Darya, Emeka, Frida, Goran, Helga, Imran, Jiho, Kofi, Linh, Magnus, Nkechi, Otto, Pilar
Rukhsana, Stellan, Tadeo, Ulrike, Vasil, Wen, Yael, Zofia, Adil, Bianca, Cedric, Delphine, Ewa
Farid, Gwen, Henrik, Ines, Jonas, Kalinda, Lorenzo, Makena, Nils, Orla, Pooja, Rahel, Sunil, Tuva
Valentina, Wiktor, Yoko, Abena, Bjorn, Carmen, Duc, Eleni, Francois, Giulia, Haruto, Isabel, Jana
Kiran, Lena, Mohamed, Niamh, Owen, Paula, Reza, Selma, Tariq, Vera, Zainab, Ahmed, Birgit, Carlos
Deepa, Erik, Florence, Grace, Hugo, Irina, Jakub, Karin, Liam, Martha, Nuno, Olivia, Peter, Ruth
Simon, Teresa, Ursula, Walter, Agnes, Bruno, Clara, David, Edith, Frank, Georgia, Harold, Iris
Julian, Keiko, Laszlo, Miriam, Nora, Pierre, Rachel, Stefan, Tomoko, Vince, Wilma, Xavier, Yvonne
""")

LAST_NAMES = listed("""
Okafor, Lindqvist, Tanaka, Moreau, Novak, Kowalski, Haddad, Silva, Nguyen, Petrov, Castillo
Mensah, Fernandes, Schmidt, Rossi, Kaya, Eriksen, Patel, Oyelaran, Murphy, Yamamoto, Dubois
Horvat, Andersson, Khan, Mbeki, Garcia, Weber, Ricci, Demir, Johansen, Sharma, Adeyemi, Byrne
Sato, Laurent, Kovac, Nilsson, Rahman, Dlamini, Vargas, Fischer, Bianchi, Arslan, Hansen, Iyer
Eze, Gallagher, Nakamura, Fontaine, Jankovic, Berg, Hussain, Ndlovu, Mendoza, Keller, Romano
Aydin, Solberg, Reddy, Nwosu, Doyle, Kimura, Girard, Babic, Holm, Malik, Zulu, Romero, Vogel
Conti, Ozturk, Dahl, Menon, Obi, Walsh, Mori, Lefevre, Popescu, Strand, Chaudhry, Khumalo, Ortega
Brandt, Greco, Celik, Lund, Banerjee, Chukwu, Quinn, Hayashi, Mercier, Ionescu, Virtanen, Aziz
Sithole, Herrera, Krause, Marino, Polat, Moen, Gupta, Balogun, Kelly, Ito, Blanc, Dragan, Korhonen
Saleh, Whitfield, Harper, Osei, Pereira, Zhang, Liu, Park, Kim, Costa, Almeida, Bauer, Braun
Carver
""")

CITIES = listed("""
Lisbon, Porto, Oslo, Bergen, Nairobi, Kyoto, Osaka, Lagos, Accra, Quito, Lima, Valencia, Seville
Krakow, Gdansk, Riga, Tallinn, Vilnius, Tbilisi, Yerevan, Baku, Tashkent, Hanoi, Da Nang, Manila
Cebu, Jakarta, Bandung, Chennai, Pune, Jaipur, Karachi, Lahore, Dhaka, Colombo, Muscat, Amman
Beirut, Izmir, Ankara, Sofia, Plovdiv, Zagreb, Split, Ljubljana, Graz, Linz, Basel, Geneva, Lyon
Nantes, Lille, Ghent, Antwerp, Utrecht, Rotterdam, Aarhus, Malmo, Gothenburg, Tampere, Turku
Reykjavik, Dublin, Cork, Galway, Leeds, Bristol, Glasgow, Cardiff, Halifax, Montreal, Calgary
Denver, Tucson, Boise, Duluth, Savannah, Oaxaca, Puebla, Bogota, Medellin, Cusco, Rosario, Cordoba
Montevideo, Recife, Curitiba, Dakar, Kumasi, Kampala, Kigali, Lusaka, Windhoek, Durban, Cape Town
Perth, Hobart, Auckland, Dunedin, Suva, Busan, Taipei, Chengdu, Xiamen, Sapporo, Nagoya, Trieste
Palermo, Bologna, Turin, Marseille, Bordeaux, Leipzig, Dresden, Bremen, Freiburg, Salzburg, Brno
""")

COUNTRIES = listed("""
Portugal, Norway, Kenya, Japan, Ghana, Ecuador, Peru, Poland, Latvia, Estonia, Georgia, Vietnam
Indonesia, India, Jordan, Croatia, Slovenia, Switzerland, Belgium, Denmark, Finland, Iceland
Ireland, Canada, Mexico, Colombia, Uruguay, Senegal, Uganda, Rwanda, Zambia, Namibia, Morocco
Greece, Italy, Hungary, Romania, Bulgaria, Chile, Bolivia, Nepal, Mongolia, Laos, Malta, Cyprus
""")

SERVICES = listed("""
auth-service, billing-api, checkout, search-indexer, image-resizer, mailer, session-store
payment-gateway, rate-limiter, report-builder, user-profile, inventory-sync, webhook-relay
feature-flags, audit-log, geo-lookup, notification-hub, catalog-api, pricing-engine, job-runner
event-bus, token-broker, media-proxy, chat-backend, recommendation-api, ledger, order-router
edge-cache, metrics-collector, config-server, document-store, upload-worker, export-worker
scheduler, gatekeeper, login-page, admin-console, mobile-api, graph-gateway, thumbnailer
translation-api, invoice-worker, fraud-check, stream-ingest, archive-sweeper, key-vault
identity-proxy, quota-manager, shipping-api, tax-calculator, label-printer, sensor-ingest
firmware-updater, telemetry-agent, backup-agent, dns-updater, cert-renewer, log-shipper
""")

PROJECTS = listed("""
Heron, Bluebird, Tamarack, Northwind, Saffron, Cobalt, Juniper, Lighthouse, Osprey, Meridian
Quartz, Redwood, Solstice, Tundra, Umbra, Vesper, Willow, Zephyr, Anchor, Basalt, Cascade
Driftwood, Ember, Foxglove, Granite, Hazel, Ironwood, Kestrel, Larkspur, Marigold, Nimbus, Orchid
Pinecone, Quicksilver, Ridgeline, Sandpiper, Thistle, Windmill, Yarrow, Aurora, Beacon
Copperfield, Dovetail, Evergreen, Firefly, Gossamer, Harbor, Inkwell, Jetstream, Keystone, Lantern
Monsoon, Nightjar
""")

SOFTWARE = listed("""
PostgreSQL, Redis, Kafka, nginx, Docker, Kubernetes, Terraform, Grafana, Prometheus, SQLite, MySQL
Elasticsearch, RabbitMQ, Jenkins, Ansible, HAProxy, Envoy, Consul, Vault, MongoDB, ClickHouse
Celery, Django, Flask, FastAPI, React, Svelte, Vue, Webpack, Vite, Rails, Laravel, Spring Boot
Blender, Inkscape, LibreOffice, Thunderbird, Firefox, Chrome, Safari, Slack, Jira, Confluence
Notion, Figma, NumPy, pandas, PyTorch, scikit-learn, OpenSSL, systemd, cron, rsync, Git, GitLab
Postfix, Samba
""")

COMPANIES = listed("""
Halden Group, Brightwater Foods, Castellan Insurance, Nordlys Energi, Kestrel Logistics
Vantage Optics, Ostrava Steel, Maple Ridge Farms, Tidewater Bank, Orion Freight, Sable & Finch
Greenfield Labs, Corvid Systems, Lumen Health, Pacific Tile, Banyan Textiles, Alder Analytics
Redstone Mining, Bellweather Media, Quayside Hotels, Fennel & Rye, Stonebridge Capital
Helio Solar, Wharf Street Brewing, Marlow Publishing, Arctic Cod, Tesoro Imports, Union Cartage
Delft Instruments, Sunda Shipping, Kilimo Seeds, Azul Airlines, Ferrovia, Montclair Dental
Pinnacle Roofing, Harborview Clinic, Saint Agnes Hospital, Riverside Council, Larkin Trust
Westmark, Oakline, Zenbo Robotics, Calder Paper, Ionica, Trellis Software, Mosaic Games
""")

TEAMS = listed("""
platform team, data team, security team, mobile team, support desk, design group, infra team
payments team, growth team, research group, finance office, legal team, operations crew, QA team
""")

DIRECTORIES = listed("""
src/auth, src/api, src/core, lib/net, lib/cache, internal/queue, internal/store, pkg/parser
app/models, app/views, server/handlers, client/src, cmd/worker, services/billing, tools/release
tests/unit, tests/integration, docs/guides, config/prod, deploy/helm, scripts, web/components
backend/jobs, crates/engine/src, include/render, drivers/serial, migrations, etc/nginx, ops/alerts
""")

FILE_STEMS = listed("""
session, token, parser, router, worker, cache, scheduler, index, buffer, client, config, schema
invoice, upload, retry, limiter, socket, decoder, encoder, pool, registry, migrate, render, layout
query, cursor, batch, handler, loader, watcher, codec, matcher, tokenizer, planner, ledger, export
import_csv, date_utils, http_client, user_model, rate_limit, feature_flags, health_check
tax_table, order_state, page_cursor, mail_queue, key_rotation, image_scale, geo_index, unit_tests
api_keys
""")

EXTENSIONS = listed(
    "py, py, go, rs, ts, js, java, c, cpp, rb, kt, sql, yaml, toml, json, md, sh, php"
)

SYMBOLS_HEAD = listed("""
parse, load, read, write, flush, open, close, resolve, build, merge, apply, validate, encode
decode, fetch, send, poll, retry, normalize, render, update, delete, create, lookup, compute
register, split
""")

SYMBOLS_TAIL = listed("""
token, header, session, config, row, batch, cursor, page, index, cache, user, order, invoice, key
path, frame, chunk, event, queue, schema, node, tree, buffer, window, date, price, payload, record
""")

EXCEPTIONS = listed("""
ValueError, KeyError, TypeError, TimeoutError, ConnectionResetError, NullPointerException
IndexError, FileNotFoundError, PermissionError, UnicodeDecodeError, OutOfMemoryError
ZeroDivisionError, IllegalStateException, AssertionError, RecursionError, StackOverflowError
RuntimeError
""")

INGREDIENTS = listed("""
onions, garlic, carrots, celery, red lentils, chickpeas, black beans, basmati rice, couscous
quinoa, spinach, kale, leeks, potatoes, sweet potatoes, pumpkin, zucchini, eggplant, tomatoes
red peppers, mushrooms, ginger, coriander, parsley, dill, thyme, rosemary, bay leaves, cumin
paprika, turmeric, cinnamon, nutmeg, saffron, miso, soy sauce, fish sauce, tahini, olive oil
butter, ghee, cream, coconut milk, yogurt, feta, parmesan, mozzarella, ricotta, eggs, flour
rye flour, yeast, sugar, brown sugar, honey, maple syrup, dark chocolate, cocoa, vanilla, almonds
walnuts, pecans, hazelnuts, sesame seeds, raisins, dates, apricots, apples, pears, plums, lemons
limes, oranges, mangoes, chicken thighs, lamb shoulder, minced beef, pork belly, bacon, salmon
cod, shrimp, mussels, tofu, tempeh, rice noodles, spaghetti, penne, tortillas, pita bread
kidney beans, green peas, corn
""")

DISHES = listed("""
lentil soup, pumpkin soup, miso ramen, beef stew, lamb tagine, chicken curry, vegetable curry
mushroom risotto, fish pie, shepherd's pie, apple crumble, lemon tart, carrot cake, banana bread
sourdough loaf, focaccia, potato gratin, bean chili, pad thai, paella, pierogi, goulash, moussaka
shakshuka, falafel, dal, biryani, jollof rice, feijoada, ceviche, gazpacho, minestrone, borscht
laksa, bibimbap, okonomiyaki, spring rolls, pancakes, waffles, rice pudding, panna cotta, brownies
""")

DRUGS = listed("""
amoxicillin, ibuprofen, metformin, lisinopril, atorvastatin, omeprazole, sertraline, warfarin
prednisone, albuterol, levothyroxine, amlodipine, gabapentin, furosemide, cetirizine, naproxen
azithromycin, doxycycline, losartan, metoprolol, clopidogrel, insulin glargine, paracetamol
ciprofloxacin, fluoxetine, tramadol, ondansetron, salbutamol, enoxaparin, bisoprolol, montelukast
""")

SYMPTOMS = listed("""
a dry cough, chest pain, a sore throat, lower back pain, shortness of breath, a throbbing headache
dizziness, nausea, abdominal pain, joint stiffness, a skin rash, night sweats, blurred vision
fatigue, palpitations, ankle swelling, an earache, numbness in the left hand, heartburn, a fever
knee pain, itchy eyes, loss of appetite, poor sleep, a persistent cough, swollen glands
leg cramps
""")

DIAGNOSES = listed("""
community-acquired pneumonia, type 2 diabetes, seasonal allergy, iron deficiency, acute bronchitis
a hairline fracture, migraine, gastritis, a urinary tract infection, hypertension
atrial fibrillation, contact dermatitis, sinusitis, tendinitis, sciatica, hypothyroidism, asthma
a viral infection
""")

PLANTS = listed("""
tomatoes, runner beans, basil, courgettes, garlic, shallots, leeks, kale, chard, beetroot
radishes, lavender, dahlias, roses, tulips, sweet peas, hostas, ferns, hydrangeas, clematis
peonies, irises, the fig tree, the apple tree, the lemon tree, the pear tree, raspberries
strawberries, blueberries, rhubarb, asparagus, pumpkins, chillies, aubergines, peas, broad beans
lettuce, spinach, mint, sage
""")

INSTRUMENTS = listed("""
cello, violin, viola, flute, oboe, clarinet, bassoon, trumpet, trombone, piano, harp, guitar
banjo, mandolin, accordion, tabla, sitar, kora, oud, double bass, saxophone, timpani, marimba
harpsichord
""")

CHEMICALS = listed("""
sodium chloride, copper sulfate, hydrochloric acid, sodium hydroxide, ethanol, acetone, toluene
potassium permanganate, silver nitrate, calcium carbonate, acetic acid, ammonium chloride, hexane
magnesium sulfate, sulfuric acid, ethyl acetate, methanol, benzoic acid, zinc oxide, iron chloride
potassium iodide, dichloromethane, citric acid, lithium bromide, hydrogen peroxide, aniline
""")

SPORTS_TEAMS = listed("""
Harbor City, Northgate United, Rovers, Valley Hawks, Iron Bears, Lake Wolves, Red Harriers, Saints
Coastal Kings, Mountain Lynx, River Plate Juniors, Old Town Athletic, Eastfield, Westmere
Granite FC, Sporting Olmo, Real Tejada, Inter Bassano, Viking Tromso, FK Drava, Union Kehl
Olympique Serres, Thunderbirds, Night Owls, Storm, Comets, Falcons, Pioneers, Steelers of Brant
Blue Dolphins
""")

WEEKDAYS = listed("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
MONTHS = listed("""
January, February, March, April, May, June, July, August, September, October, November, December
""")

DOMAINS = listed("""
example.com, example.org, example.net, status.example.com, docs.example.org, shop.example.net
blog.example.com, git.example.org, wiki.example.net, files.example.com, news.example.org
""")

SLUGS = listed("""
release-notes, getting-started, incident-review, price-list, annual-report, train-times, recipes
install, faq, changelog, map, tickets, papers, menu, gallery, contact, jobs, downloads, api
search
""")

NOUNS = listed("""
umbrella, keys, milk, bread, passport, charger, ladder, printer, laptop, backpack, bicycle
dentist, plumber, library, kitchen, garage, window, roof, garden, fence, mailbox, invoice, receipt
budget, deadline, agenda, slides, draft, review, meeting, lunch, coffee, tea, water, battery
cable, router, monitor, keyboard, headphones, backup, password, voucher, flight, train, hotel
museum, concert, cinema, homework, exam, lecture, notebook, pencil, stapler, calendar, birthday
anniversary, wedding, gift, laundry, dishes, vacuum, lightbulb, thermostat, boiler, heater, fridge
oven, kettle, toaster, sofa, carpet, curtains, paint, hammer, screwdriver, nails, screws, glue
tape, scissors, rope, tent, stove
""")

SPELLED = listed("""
two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fifteen, sixteen
twenty, twenty-four, thirty, forty-two, fifty, sixty, ninety-nine, a hundred, two hundred
a thousand, half a dozen, a dozen, two dozen
""")

COUNTED = listed("""
chairs, tickets, boxes, lamps, bottles, tiles, books, candles, cables, batteries, towels, plates
umbrellas, posters, screws, seedlings, notebooks, pallets, tents, folders, magnets, buckets, jars
sandbags, blankets, sensors, printers, headphones, mugs, bricks, panels, keys, stamps, spoons
filters
""")

ADJECTIVES = listed("""
small, large, new, old, blue, green, red, heavy, light, cheap, broken, spare, second, last, quiet
early, late, cold, warm, empty, full, wet, dry, sharp, rusty, wooden, plastic, yearly, weekly
daily
""")

SINGLE_WORDS = listed("""
done, ok, okay, yes, no, thanks, hello, later, maybe, tomorrow, today, tonight, soon, never
always, urgent, pending, blocked, merged, shipped, reverted, approved, rejected, postponed
cancelled, paid, overdue, sold, broken, fixed, empty, ready, waiting, rain, snow, fog, sunshine
thunder, Monday, lunch, test, testing, ping, pong, help, stop, wait, retry, again, finally, hmm
nope, yep, indeed, exactly, quiet, tired, happy, hungry, cold, home, office, airport, groceries
laundry, passport, dentist, refactor, rollback, deploy, hotfix, backlog, standup, retro, sprint
review, draft, outline, epilogue, eucalyptus, photosynthesis, mitochondria, entropy, gravity
isotope, catalyst, algebra, calculus, serendipity, melancholy, nostalgia, courage, patience
silence, thunderstorm, harvest, migration, kubernetes, compiler, debugger, mutex, semaphore
recursion, latency, throughput, checksum, firewall, cinnamon, cardamom, sourdough, espresso
marmalade, pickles, dumplings, anchovies, rhubarb, oregano
""")
