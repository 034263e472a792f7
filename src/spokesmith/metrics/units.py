"""Units of measure as texts write them: each with its dimension and its size in that dimension.

Amounts with units of one dimension compare (1200 ms and 1.2 s). Calendar months and years are a
dimension of their own, and so is each currency: no rate is known here.
"""

import unicodedata
from fractions import Fraction

Unit = tuple[str, Fraction]

_TABLE = """
time 1/1000000000: ns nanosecond nanoseconds
time 1/1000000: µs μs us microsecond microseconds
time 1/1000: ms msec msecs millisecond milliseconds
time 1: s sec secs second seconds 秒 秒钟
time 60: min mins minute minutes Minuten Minute 分 分钟
time 3600: h hr hrs hour hours Stunde Stunden 小时
time 86400: d day days Tag Tage Tagen 天 日
time 604800: wk wks week weeks Woche Wochen 周
time 1209600: fortnight fortnights
months 1: mo month months Monat Monate Monaten 个月
months 12: yr yrs year years Jahr Jahre Jahren 年 岁
months 120: decade decades
months 1200: century centuries
data 1: B byte bytes
data 1000: kB KB kilobyte kilobytes
data 1000000: MB megabyte megabytes
data 1000000000: GB gigabyte gigabytes
data 1000000000000: TB terabyte terabytes
data 1000000000000000: PB petabyte petabytes
data 1024: KiB kibibyte kibibytes
data 1048576: MiB mebibyte mebibytes
data 1073741824: GiB gibibyte gibibytes
data 1099511627776: TiB
bits 1: bit bits
bits 1000: kbit kb kilobit kilobits
bits 1000000: Mbit Mb megabit megabits
bits 1000000000: Gbit Gb gigabit gigabits
bitrate 1: bps
bitrate 1000: kbps
bitrate 1000000: Mbps
bitrate 1000000000: Gbps
frequency 1: Hz hertz
frequency 1000: kHz
frequency 1000000: MHz
frequency 1000000000: GHz
mass 1/1000000: mcg µg μg ug microgram micrograms
mass 1/1000: mg milligram milligrams
mass 1: g gram grams gramme grammes Gramm 克
mass 1000: kg kgs kilo kilos kilogram kilograms Kilo 千克 公斤
mass 1000000: t tonne tonnes
mass 500: 斤
ounce 1: oz ounce ounces
ounce 16: lb lbs
pound 1: pound pounds
ton 1: ton tons
volume 1/1000000: µl µL μl
volume 1/1000: ml mL cc millilitre millilitres milliliter milliliters 毫升
volume 1/100: cl cL
volume 1/10: dl dL
volume 1: l L litre litres liter liters Liter 升
spoon 1: tsp tsps teaspoon teaspoons 茶匙
spoon 3: tbsp tbsps tablespoon tablespoons Tbsp 汤匙
cup 1: cup cups
pint 1: pint pints pt
quart 1: qt quart quarts
gallon 1: gal gallon gallons
length 1/1000000000: nm
length 1/1000000: µm μm
length 1/1000: mm millimetre millimetres millimeter millimeters 毫米
length 1/100: cm centimetre centimetres centimeter centimeters 厘米
length 1: m metre metres meter meters 米
length 1000: km kilometre kilometres kilometer kilometers 公里
inch 1: inch inches
inch 12: ft foot feet
inch 36: yd yard yards
mile 1: mi mile miles
acre 1: acre acres
hectare 1: ha hectare hectares
mph 1: mph
celsius 1: °C C celsius
fahrenheit 1: °F F fahrenheit
kelvin 1: K kelvin
degree 1: ° degree degrees 度
percent 1: % percent pct
point 1: pp
permille 1: ‰
volt 1/1000: mV
volt 1: V volt volts
volt 1000: kV
ampere 1/1000: mA
ampere 1: A amp amps
watt 1/1000: mW
watt 1: W watt watts
watt 1000: kW
watt 1000000: MW
watt 1000000000: GW
energy 1: Wh
energy 1000: kWh
energy 1000000: MWh
joule 1: J
joule 1000: kJ
calorie 1: cal
calorie 1000: kcal Kcal calories 大卡
pascal 1: Pa
pascal 100: hPa mbar
pascal 1000: kPa
pascal 100000: bar
psi 1: psi
mercury 1: mmHg
ohm 1: Ω ohm ohms
mole 1/1000000: µmol μmol umol
mole 1/1000: mmol
mole 1: mol
iu 1: IU
decibel 1: dB
tempo 1: bpm
turn 1: rpm
frame 1: fps
pixel 1: px pixel pixels
dots 1: dpi
share 1: ppm
times 1: x × times 倍
USD 1: $ USD US$ dollar dollars Dollar 美元
USD 1/100: ¢ cent cents
EUR 1: € EUR euro euros Euro Euros 欧元
GBP 1: £ GBP quid
JPY 1: ¥ JPY yen
CNY 1: CNY RMB yuan 元 块
CHF 1: CHF Fr. franc francs Franken
INR 1: ₹ INR rupee rupees
AUD 1: AUD A$
CAD 1: CAD C$
SEK 1: SEK
DKK 1: DKK
NOK 1: NOK
KRW 1: ₩ KRW
RUB 1: ₽ RUB rouble roubles
BTC 1: BTC
个 1: 个
颗 1: 颗
片 1: 片
只 1: 只
根 1: 根
勺 1: 勺
杯 1: 杯
人 1: 人 人份
次 1: 次
"""


def _read(table: str) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for line in table.strip().splitlines():
        head, _, names = line.partition(": ")
        dimension, size = head.split()
        factor = Fraction(size)
        for name in unicodedata.normalize("NFKC", names).split():
            units[name] = (dimension, factor)
    return units


UNITS = _read(_TABLE)
CURRENCIES = frozenset(
    name for name, (dimension, _) in UNITS.items() if len(dimension) == 3 and dimension.isupper()
)
# Words that stand for the same unit in any case; symbols (mW, MW) do not.
UNITS_BY_WORD = {name.casefold(): unit for name, unit in UNITS.items() if len(name) > 3}
UNIT_WORDS = frozenset(UNITS) | frozenset(UNITS_BY_WORD) | {"st", "nd", "rd", "th"}


def unit_of(word: str) -> Unit | None:
    """The unit that a word is written for, or None."""
    return UNITS.get(word) or UNITS_BY_WORD.get(word.casefold())


def same_written(dimension: str) -> frozenset[str]:
    """The dimensions that a word or sign for this one may also stand for."""
    return _ALIKE.get(dimension, frozenset())


_ALIKE = {
    "pound": frozenset({"GBP", "ounce"}),
    "GBP": frozenset({"pound"}),
    "degree": frozenset({"celsius", "fahrenheit"}),
    "CNY": frozenset({"JPY"}),
    "JPY": frozenset({"CNY"}),
}
