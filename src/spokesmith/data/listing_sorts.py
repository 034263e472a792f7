"""What listings are about: titles, lines and steps, in the pattern language of the kinds.

Data only; `listing.py` makes texts of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spokesmith.data.words import listed

if TYPE_CHECKING:
    from spokesmith.data.kinds.pattern import Draw, Words


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A sort of listing.

    Attributes:
        domain: as of a real text, see `extract.gold_of`.
        titles, intros, facts, items, steps, notes: patterns; a text takes some of each, and of
            `items` it takes one to three forms for all its lines.
        list_headings, step_headings: what stands above the lines and the steps.
        words: vocabularies of its own.
        most_items, most_steps: so many at most.
    """

    domain: str
    titles: Sequence[str]
    intros: Sequence[str] = ()
    facts: Sequence[str] = ()
    list_headings: Sequence[str] = ()
    items: Sequence[str]
    step_headings: Sequence[str] = ()
    steps: Sequence[str] = ()
    notes: Sequence[str] = ()
    words: "Mapping[str, Words]" = field(default_factory=dict)
    most_items: int = 18
    most_steps: int = 9


GUARD_HEADS = listed("Mapped, Rw, Arc, Owned, Shared, Raw, Async, Scoped, Weak, Fair, Lazy")
GUARD_MIDDLES = listed("Mutex, RwLock, Cell, Slot, Buffer, Queue, Channel, Map, Arena, Pool, Ring")
GUARD_TAILS = listed(
    "Guard, ReadGuard, WriteGuard, Iter, IterMut, Ref, RefMut, Handle, Entry, Drain"
)


def guard(draw: "Draw") -> str:
    """A type's name that differs little from its neighbours': MappedRwLockReadGuard."""
    heads = draw.random.sample(GUARD_HEADS, draw.random.choice((0, 1, 1, 2)))
    return "".join((*heads, draw.random.choice(GUARD_MIDDLES), draw.random.choice(GUARD_TAILS)))


def share(draw: "Draw") -> str:
    """A part of a cup or spoon: 1/2, 1 1/4, 3."""
    part = draw.random.choice(("1/2", "1/4", "3/4", "1/3", "2/3"))
    whole = draw.random.randint(1, 4)
    return draw.random.choice((part, part, f"{whole} {part}", str(whole), str(whole)))


COOKING = Sort(
    domain="recipe",
    titles=(
        "{^dish}",
        "{^dish} with {ingredient}",
        "{^ingredient} and {ingredient2} {way}",
        "{first}'s {dish}",
        "{^adjective} {dish}",
    ),
    intros=(
        "A {adjective} dish from {city} that keeps for {n=plain:2:6} days.",
        "{first} brought this from {country}. It serves {n=plain:2:9} and takes {t=plain:15:95} "
        "minutes.",
        "Good with {ingredient} on a {adjective} evening.",
        "This is how they make it in {city}; use {ingredient} if there is no {ingredient2}.",
        "Simple {dish} that you can freeze. I use a {n=plain:16:32} cm pan.",
        "My favourite since {month} {y=plain:1990:2024}, when {fullname} wrote it down for me.",
    ),
    facts=(
        "⏲️ Prep time: {n=plain:5:45} min",
        "🍳 Cook time: {n=plain:10:150} min",
        "🍽️ Servings: {n=plain:1:12}",
        "Prep time: {n=plain:5:45} minutes",
        "Cooking time: {n=plain:1:4} hours",
        "Yield: {n=plain:6:48} pieces",
        "Oven: {n=plain:150:240}°C",
        "Calories: {n=plain:150:990} kcal",
    ),
    list_headings=(
        "## Ingredients",
        "Ingredients:",
        "Ingredients",
        "### What you need",
        "You need:",
    ),
    items=(
        "{n=plain:1:9} {ingredient}",
        "{g=plain:5:900}{_}g {ingredient}",
        "{g=plain:5:900} grams of {ingredient}",
        "{^ingredient} ({g=plain:5:900}g)",
        "{^ingredient} ({n=plain:1:9} {spoon})",
        "{^ingredient} {o=dec:0.5:9.5}oz ({g=plain:20:300}g)",
        "{^ingredient}: {g=plain:5:900}{_}ml",
        "{c=share} {spoon} {ingredient}",
        "{c=share} {spoon} {ingredient}, {cut}",
        "{n=plain:1:4}-{m=plain:5:9} {ingredient}",
        "{c=share} cup (~{g=plain:20:400}ml) {ingredient}",
        "{^ingredient}, {cut}",
        "{^ingredient} (optional)",
        "{^ingredient} to taste",
        "{n=plain:1:9} {ingredient} or {ingredient2}",
    ),
    step_headings=("## Directions", "Method:", "Directions", "## Steps", "## Preparation"),
    steps=(
        "Chop the {ingredient} and the {ingredient2} into small pieces.",
        "Heat the {ingredient} in a {pan} pan over medium heat.",
        "Add the {ingredient} and cook for {n=plain:2:20} minutes, stirring often.",
        "Add {ingredient}, {ingredient2} and {ingredient3}, and mix well.",
        "Cover with a lid and simmer for {n=plain:10:90} minutes.",
        "Bake at {n=plain:150:240}°C ({f=plain:300:460}°F) for {m=plain:10:75} minutes.",
        "Let it rest for {n=plain:5:50} minutes.",
        "Bring {n=plain:2:5} litres of water to a boil and add the {ingredient}.",
        "Drain, and keep {n=plain:50:400}{_}ml of the water.",
        "Whisk the {ingredient} until smooth ({n=plain:2:9} mins).",
        "Stir in the {ingredient} a spoon at a time.",
        "Season with {ingredient}, then taste.",
        "Turn down the heat and pour in the {ingredient}.",
        "Fry for {n=plain:2:5}-{m=plain:6:12} minutes on each side, until golden.",
        "Meanwhile mix the {ingredient} with {c=share} {spoon} of {ingredient2}.",
        "Put everything in a bowl and leave it in the fridge for {n=plain:2:24} hours.",
        "Roll it out to about {n=plain:2:9} mm and cut it into {m=plain:4:24} pieces.",
        "Take it off the heat once the {ingredient} is soft.",
        "Sprinkle with {ingredient} and serve hot.",
        "Serve with {ingredient}.",
        "Repeat with the rest of the {ingredient}.",
        "Wash the {ingredient}, peel it and slice it.",
        "Cook {ingredient} separately for {n=plain:5:30} minutes; set it aside.",
        "Pour the {ingredient} over the {ingredient2} and wait until it is all absorbed.",
    ),
    notes=(
        "Keeps in the fridge for {n=plain:2:7} days.",
        "Instead of {ingredient} you can take {ingredient2}.",
        "Originally published at {url}",
        "Enjoy!",
        "It tastes even better the next day.",
    ),
    words={
        "share": share,
        "way": listed("stew, bake, salad, soup, pie, curry, stir-fry, sauce, rolls, pancakes"),
        "spoon": listed("tbsp, tsp, cup, tablespoons, teaspoon, cups, tbsp., handful, pinch, can"),
        "pan": listed("large, deep, small, heavy, hot, wide, non-stick"),
        "cut": listed(
            "chopped, minced, sliced, diced, grated, peeled, softened, cut in half, fresh"
        ),
    },
)

TYPES = Sort(
    domain="security advisory",
    titles=(
        "Multiple types of {service} are unsound",
        "`{symbol}` of {service} allows data races",
        "{^service}: {n=plain:3:19} types lack bounds on `Send`",
    ),
    intros=(
        "Affected versions of this crate implement `Send` for these types without a bound on what "
        "they hold.",
        "The following types of `{service}` may cause memory corruption when they are sent to "
        "another thread:",
        "{fullname} found on {date} that these types share data without a lock. It is known as "
        "CVE-{y=plain:2015:2026}-{c=plain:1000:48000}.",
    ),
    list_headings=("Affected types:", "## Types", "This concerns", ""),
    items=("{guard}", "`{guard}`", "`{guard}::{symbol}`", "{guard}<T>", "impl Send for {guard}"),
    notes=(
        "The flaw was corrected in version {version} by {fullname}.",
        "All versions from {v=dec:0.1:0.9} up to {w=dec:1.1:4.9} are affected.",
        "See {url} for details.",
        "The crate is no longer maintained; use `{service}` instead.",
    ),
    words={"guard": guard},
    most_items=16,
)

CHANGES = Sort(
    domain="",
    titles=("Release {version} of {software}", "{^service} {version}", "Changelog {date}"),
    intros=(
        "{n=plain:3:40} changes by {m=plain:2:14} people since {date}.",
        "This release mends what {company} reported on {date}.",
    ),
    list_headings=("## Changes", "Fixed:", "Changed", "### Fixes", ""),
    items=(
        "Fixed `{symbol}` in {file} (#{n=plain:10:9800})",
        "`{symbol}` takes {n=plain:2:64} arguments",
        "Removed {symbol} and {symbol2}",
        "Updated {software} to {version}",
        "{service}: {symbol} is {n=plain:2:40}% faster",
        "{symbol}: timeout raised from {n=plain:5:30} s to {m=plain:40:900} s",
        "New option `{variable}` (default {n=plain:1:900})",
    ),
    notes=("Thanks to {fullname} and {fullname2}.", "Next release: {date}."),
)

STOCK = Sort(
    domain="",
    titles=(
        "Packing list for {city}",
        "Stock of the {adjective} cupboard, {date}",
        "Order for {company}",
        "Inventory {date}",
        "Lost and found, {weekday}",
    ),
    intros=(
        "{first} counts again on {weekday}.",
        "Checked by {fullname} at {time}; {n=plain:2:9} lines are still open.",
        "We leave on {weekday} at {time}.",
    ),
    list_headings=("Items:", "## List", ""),
    items=(
        "{n=plain:1:90} {things}",
        "{n=plain:1:9} {adjective} {noun}",
        "{^noun}: {n=plain:1:60}",
        "{n=plain:1:60} x {things} ({adjective}), {m=plain:10:900} g each",
        "{^things} {n=plain:1:60} of {m=plain:61:99}",
        "{^noun} - {money}",
        "{^noun} for {first}",
        "{n=plain:100:999}-{m=plain:10:99} {noun}, {money}",
    ),
    notes=("Total: {money}.", "Missing: {n=plain:1:9} {things}.", "{first} brings the {noun}."),
)

TIMES = Sort(
    domain="",
    titles=(
        "Programme for {weekday}",
        "Rota of the {team}",
        "Departures from {city}",
        "Readings, {date}",
    ),
    intros=(
        "All times are local.",
        "{fullname} is in charge until {time}.",
        "Room {n=plain:2:40}.",
    ),
    list_headings=("", "Times:"),
    items=(
        "{time} {noun} with {first}",
        "{time}: {n=plain:10:99}.{m=plain:0:9} °C",
        "{time} to {city}, platform {n=plain:1:24}",
        "{time} {first} {surname}, room {n=plain:1:40}",
        "{weekday}: {first} and {first2}",
        "{time} - {n=plain:1:40}/{m=plain:41:90} mmHg",
        "{date}: {n=plain:2:900} visitors",
    ),
    notes=("No service on {weekday}.", "Call {n=plain:200:999} {m=plain:1000:9999} if late."),
)

PEOPLE = Sort(
    domain="",
    titles=(
        "Attendees of {noun}",
        "Contacts at {company}",
        "Medication of {fullname}",
        "Squad of {club}",
    ),
    intros=("As of {date}.", "{fullname} keeps this list.", "{n=plain:3:40} in all."),
    list_headings=("", "## Names", "Names:"),
    items=(
        "{fullname}, {team}, {email}",
        "{fullname} ({city})",
        "{n=plain:1:40} {surname}",
        "{fullname}: {n=plain:2:90} points",
        "{first} {surname}, desk {n=plain:1:90}, ext. {m=plain:100:999}",
        "{drug} {n=plain:5:800} mg, {m=plain:1:4} times a day",
        "{drug} {n=plain:5:800} mg at {time}",
        "{surname}, {first} - {company}",
    ),
    notes=("{first} joins on {date}.", "{n=plain:2:9} more have not answered."),
)

CHINESE_COOKING = Sort(
    domain="recipe (Chinese)",
    titles=("# {cai}的做法", "{cai}"),
    intros=(
        "{cai}是{di}的家常菜，做法简单，{n=plain:10:90} 分钟就能上桌。",
        "这道菜酸甜适口，适合{n=plain:1:6}个人吃。",
        "口味咸香，新手也能做好，大约需要 {n=plain:10:90} 分钟。",
    ),
    facts=("预估烹饪难度：{xing}", "预估卡路里：{n=plain:90:1800} 大卡", "份量：{n=plain:1:6} 人"),
    list_headings=("## 必备原料和工具", "## 计算", "原料", "每份："),
    items=(
        "{liao} {n=plain:2:900} 克",
        "{liao} {n=plain:2:900}g",
        "{liao}：{n=plain:1:9} 个",
        "{liao} {n=plain:5:300} 毫升",
        "{liao} {n=plain:1:4}-{m=plain:5:9} 片",
        "{liao}",
        "{liao}（可选）",
        "{n=plain:2:90}ml {liao}",
    ),
    step_headings=("## 操作", "做法", "## 步骤"),
    steps=(
        "{liao}洗净，切成 {n=plain:1:6} 厘米的段",
        "锅中倒入 {n=plain:10:90} 毫升{liao}，中火加热",
        "放入{liao}和{liao2}，翻炒 {n=plain:1:9} 分钟",
        "加入 {n=plain:2:40} 克{liao}，搅拌均匀",
        "盖上锅盖，小火煮 {n=plain:10:90} 分钟",
        "把{liao}切片，{liao2}切末备用",
        "水开后下{liao}，煮 {n=plain:2:12} 分钟后捞出",
        "大火收汁，撒上{liao}即可出锅",
        "用{liao}腌制 {n=plain:10:60} 分钟",
        "烤箱预热 {n=plain:150:230} 度，烤 {m=plain:10:60} 分钟",
        "倒入{liao}，没过{liao2}",
        "关火，装盘",
    ),
    notes=("没有{liao}可以用{liao2}代替。", "剩下的可以冷藏 {n=plain:2:5} 天。"),
    words={
        "cai": listed(
            """
            红烧茄子, 番茄炒蛋, 葱油面, 土豆丝, 豆腐汤, 糖醋排骨, 清蒸鱼, 绿豆粥, 青椒肉丝,
            蒜蓉西兰花, 炸酱面, 白菜炖粉条, 香菇鸡汤, 萝卜牛腩, 凉拌黄瓜, 咖喱鸡块,
            虾仁蒸蛋, 腊肠炒饭, 椒盐豆腐, 奶油蘑菇汤, 肉末豇豆
            """
        ),
        "di": listed("四川, 广东, 湖南, 山东, 江苏, 浙江, 福建, 安徽, 云南, 东北, 北京, 上海"),
        "xing": listed("★, ★★, ★★★, ★★★★, ★★★★★"),
        "liao": listed(
            """
            葱, 姜, 蒜, 盐, 糖, 白糖, 冰糖, 生抽, 老抽, 料酒, 蚝油, 香醋, 淀粉, 清水,
            食用油, 花椒, 八角, 桂皮, 香叶, 干辣椒, 小米椒, 白胡椒粉, 鸡蛋, 豆腐, 土豆,
            番茄, 茄子, 青椒, 胡萝卜, 白萝卜, 黄瓜, 香菇, 木耳, 西兰花, 白菜, 菠菜, 洋葱,
            猪肉, 五花肉, 排骨, 牛肉, 羊肉, 鸡腿, 鸡胸肉, 虾仁, 鱼片, 面粉, 米饭, 面条,
            粉丝, 牛奶, 黄油, 芝麻, 花生, 豆瓣酱, 香菜
            """
        ),
    },
    most_items=12,
    most_steps=7,
)

SORTS = (
    *(COOKING,) * 6,
    *(CHINESE_COOKING,) * 2,
    *(TYPES, CHANGES) * 2,
    *(STOCK, TIMES, PEOPLE),
)
