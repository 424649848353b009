# ruff: noqa: E501  (one category, one line)
"""Words of the simulated shop: what its categories, styles, sizes and brands are called.

One line of `LEAVES` is one category of the second level:

    department > category | nouns, the usual one first | Chinese nouns | four styles,
    English=Chinese | sizes, English=Chinese | usual price | days until it is used up,
    0 if it lasts | category that is bought along with it

The s-th style of a category goes with the s-th style of the category bought along.
"""

from __future__ import annotations

import dataclasses

LEAVES = """
Kitchen > Bottles | bottle; flask; tumbler | 保温杯; 水杯 | Stainless Steel=不锈钢; Glass=玻璃; Sports=运动; Kids=儿童 | 350 ml=350毫升; 500 ml=500毫升; 750 ml=750毫升 | 18 | 0 | Bottle Brushes
Kitchen > Bottle Brushes | bottle brush; bottle cleaner | 杯刷; 瓶刷 | Long Handle=长柄; Silicone=硅胶; Bamboo=竹柄; Mini=迷你 | 2 pack=2只装; 4 pack=4只装 | 6 | 40 | Dish Soap
Kitchen > Cookware | frying pan; skillet | 平底锅; 煎锅 | Cast Iron=铸铁; Nonstick=不粘; Copper=铜制; Ceramic=陶瓷 | 20 cm=20厘米; 24 cm=24厘米; 28 cm=28厘米 | 42 | 0 | Spatulas
Kitchen > Spatulas | spatula; turner | 锅铲; 铲子 | Olive Wood=橄榄木; Silicone=硅胶; Steel=钢制; Slotted=漏孔 | 30 cm=30厘米; 35 cm=35厘米 | 9 | 0 | Cookware
Kitchen > Dish Soap | dish soap; washing-up liquid | 洗洁精; 洗碗液 | Lemon=柠檬; Unscented=无香; Aloe=芦荟; Baby Safe=婴儿 | 500 ml=500毫升; 1 l=1升; 2 l=2升 | 5 | 24 | Bottle Brushes
Home > Bed Linen | duvet cover; quilt cover | 被套; 被罩 | Linen=亚麻; Cotton=纯棉; Silk=真丝; Flannel=法兰绒 | 150 cm=150厘米; 200 cm=200厘米 | 65 | 0 | Pillows
Home > Pillows | pillow; cushion insert | 枕头; 枕芯 | Down=羽绒; Memory Foam=记忆棉; Latex=乳胶; Buckwheat=荞麦 | 40 x 60 cm=40x60厘米; 50 x 75 cm=50x75厘米 | 30 | 0 | Bed Linen
Home > Candles | candle; scented candle | 蜡烛; 香薰蜡烛 | Lavender=薰衣草; Vanilla=香草; Cedar=雪松; Citrus=柑橘 | 150 g=150克; 300 g=300克 | 14 | 30 | Candle Holders
Home > Candle Holders | candle holder; candlestick | 烛台; 蜡烛座 | Brass=黄铜; Crystal=水晶; Rustic=复古; Minimalist=极简 | 10 cm=10厘米; 20 cm=20厘米 | 22 | 0 | Candles
Home > Desk Lamps | desk lamp; table lamp | 台灯; 桌灯 | LED=LED; Vintage=复古款; Clip-on=夹式; Touch=触控 | 6 W=6瓦; 12 W=12瓦 | 38 | 0 | Notebooks
Garden > Plant Pots | plant pot; planter | 花盆; 花器 | Terracotta=陶土; Hanging=吊挂; Concrete=水泥; Self-Watering=自动浇水 | 15 cm=15厘米; 25 cm=25厘米; 40 cm=40厘米 | 16 | 0 | Potting Soil
Garden > Potting Soil | potting soil; compost | 营养土; 培养土 | Cactus=多肉; Orchid=兰花; Vegetable=蔬菜; Universal=通用 | 5 l=5升; 10 l=10升; 20 l=20升 | 9 | 35 | Plant Pots
Garden > Garden Hoses | garden hose; water hose | 水管; 浇花软管 | Expandable=伸缩; Reinforced=加固; Drip=滴灌; Flat=扁平 | 10 m=10米; 20 m=20米; 30 m=30米 | 34 | 0 | Pruners
Garden > Pruners | pruner; secateurs | 园艺剪; 修枝剪 | Bypass=绕剪; Anvil=砧式; Ratchet=棘轮; Bonsai=盆景 | 18 cm=18厘米; 21 cm=21厘米 | 24 | 0 | Plant Pots
Garden > Bird Feed | bird feed; birdseed | 鸟食; 鸟粮 | Sunflower=葵花籽; Suet=油脂; Peanut=花生; Wild Mix=混合 | 1 kg=1公斤; 2 kg=2公斤; 5 kg=5公斤 | 11 | 21 | Pruners
Electronics > Headphones | headphones; headset | 耳机; 头戴耳机 | Wireless=无线; Noise Cancelling=降噪; Gaming=游戏; Studio=监听 | 30 h=30小时; 60 h=60小时 | 89 | 0 | Headphone Cases
Electronics > Headphone Cases | headphone case; headset bag | 耳机包; 耳机盒 | Hard Shell=硬壳; Leather=皮革; Mesh=网布; Pocket=口袋 | 15 cm=15厘米; 20 cm=20厘米 | 15 | 0 | Headphones
Electronics > Phone Chargers | phone charger; power adapter | 充电器; 充电头 | Fast=快充; Travel=旅行; Magnetic=磁吸; Solar=太阳能 | 20 W=20瓦; 30 W=30瓦; 65 W=65瓦 | 25 | 0 | Charging Cables
Electronics > Charging Cables | charging cable; charger lead | 数据线; 充电线 | Braided=编织; Flat Cord=面条; Coiled=弹簧; Short=短款 | 1 m=1米; 2 m=2米; 3 m=3米 | 10 | 0 | Phone Chargers
Electronics > Batteries | batteries; battery cells | 电池; 干电池 | Alkaline=碱性; Rechargeable=充电; Lithium=锂; Button=纽扣 | AA 4 pack=五号4节; AAA 8 pack=七号8节 | 8 | 32 | Desk Lamps
Sports > Yoga Mats | yoga mat; exercise mat | 瑜伽垫; 健身垫 | Cork=软木; Rubber=橡胶; Foldable=折叠; Extra Thick=加厚 | 4 mm=4毫米; 6 mm=6毫米; 10 mm=10毫米 | 36 | 0 | Resistance Bands
Sports > Resistance Bands | resistance band; exercise band | 弹力带; 阻力带 | Loop=环形; Fabric=布艺; Tube=拉力; Therapy=康复 | 10 kg=10公斤; 20 kg=20公斤 | 13 | 0 | Yoga Mats
Sports > Running Socks | running socks; sport socks | 跑步袜; 运动袜 | Merino=羊毛; Compression=压缩; Ankle=短筒; Reflective=反光 | 3 pairs=3双; 6 pairs=6双 | 15 | 38 | Protein Powder
Sports > Protein Powder | protein powder; protein shake | 蛋白粉; 增肌粉 | Chocolate=巧克力; Banana=香蕉; Vegan=植物; Strawberry=草莓 | 500 g=500克; 1 kg=1公斤; 2 kg=2公斤 | 32 | 28 | Shakers
Sports > Shakers | shaker; protein mixer | 摇摇杯; 蛋白粉杯 | Steel Ball=钢球; Electric=电动; Two Chamber=双层; Leakproof=防漏 | 400 ml=400毫升; 600 ml=600毫升 | 12 | 0 | Protein Powder
Beauty > Shampoo | shampoo; hair wash | 洗发水; 洗发露 | Argan=摩洛哥坚果; Anti-Dandruff=去屑; Volume=蓬松; Colour Care=护色 | 250 ml=250毫升; 400 ml=400毫升 | 11 | 30 | Conditioner
Beauty > Conditioner | conditioner; hair rinse | 护发素; 润发乳 | Argan=摩洛哥坚果; Tea Tree=茶树; Volume=蓬松; Colour Care=护色 | 250 ml=250毫升; 400 ml=400毫升 | 12 | 34 | Shampoo
Beauty > Face Cream | face cream; moisturizer | 面霜; 保湿霜 | Hyaluronic=玻尿酸; Retinol=视黄醇; Sensitive=敏感肌; Day Care=日霜 | 30 ml=30毫升; 50 ml=50毫升 | 28 | 36 | Face Masks
Beauty > Face Masks | face mask; sheet mask | 面膜; 贴片面膜 | Clay=泥; Hydrating=补水; Charcoal=竹炭; Honey=蜂蜜 | 5 pack=5片装; 10 pack=10片装 | 10 | 18 | Face Cream
Beauty > Hair Dryers | hair dryer; blow dryer | 吹风机; 电吹风 | Ionic=负离子; Folding=可折叠; Salon=沙龙; Quiet=静音 | 1600 W=1600瓦; 2100 W=2100瓦 | 58 | 0 | Conditioner
Toys > Building Blocks | building blocks; brick set | 积木; 拼装积木 | Castle=城堡; Space=太空; Farm=农场; City=城市 | 200 pieces=200块; 500 pieces=500块 | 35 | 0 | Puzzles
Toys > Puzzles | puzzle; jigsaw | 拼图; 拼板 | Fantasy=奇幻; Galaxy=星空; Animals=动物; Map=地图 | 100 pieces=100片; 500 pieces=500片; 1000 pieces=1000片 | 17 | 0 | Building Blocks
Toys > Crayons | crayons; wax pastels | 蜡笔; 油画棒 | Washable=可水洗; Neon=荧光; Beeswax=蜂蜡; Jumbo=粗杆 | 12 pack=12色; 24 pack=24色; 48 pack=48色 | 7 | 40 | Colouring Books
Toys > Colouring Books | colouring book; sketch book | 涂色书; 填色本 | Dinosaur=恐龙; Unicorn=独角兽; Ocean=海洋; Vehicle=车辆 | 32 pages=32页; 64 pages=64页 | 6 | 26 | Crayons
Office > Notebooks | notebook; journal | 笔记本; 记事本 | Dotted=点阵; Lined=横线; Leather Bound=皮面; Spiral=线圈 | A5=A5; A4=A4; B5=B5 | 9 | 40 | Pens
Office > Pens | pen; rollerball | 中性笔; 签字笔 | Gel=凝胶; Fountain=钢笔; Ballpoint=圆珠; Brush Tip=软头 | 3 pack=3支; 5 pack=5支; 10 pack=10支 | 8 | 30 | Notebooks
Office > Desk Organizers | desk organizer; pen holder | 收纳盒; 笔筒 | Acrylic=亚克力; Walnut=胡桃木; Wire=铁网; Drawer=抽屉 | 20 cm=20厘米; 30 cm=30厘米 | 21 | 0 | Pens
Pets > Cat Food | cat food; kitten food | 猫粮; 猫食 | Salmon=三文鱼; Chicken=鸡肉; Grain Free=无谷; Senior=老年 | 400 g=400克; 1.5 kg=1.5公斤; 4 kg=4公斤 | 19 | 21 | Cat Litter
Pets > Cat Litter | cat litter; kitty litter | 猫砂; 猫沙 | Tofu=豆腐; Clumping=膨润土; Pine=松木; Crystal Gel=水晶砂 | 5 l=5升; 10 l=10升 | 13 | 16 | Cat Food
Pets > Dog Toys | dog toy; chew toy | 狗玩具; 磨牙玩具 | Rope=绳结; Squeaky=发声; Rubber Ball=橡胶球; Plush=毛绒 | small=小号; medium=中号; large=大号 | 10 | 0 | Dog Treats
Pets > Dog Treats | dog treats; dog snacks | 狗零食; 狗饼干 | Beef=牛肉; Duck=鸭肉; Dental=洁齿; Puppy=幼犬 | 200 g=200克; 500 g=500克 | 9 | 15 | Dog Toys
"""

DEPARTMENTS_ZH = {
    "Kitchen": "厨房",
    "Home": "家居",
    "Garden": "园艺",
    "Electronics": "数码",
    "Sports": "运动",
    "Beauty": "美妆",
    "Toys": "玩具",
    "Office": "办公",
    "Pets": "宠物",
}

BRANDS = tuple(
    """
    Nordal Vireo Hestia Kaito Lumora Brindle Oakfen Solvei
    Tamsin Zephyra Amberly Corvane Dovetail Elmsworth Fjordhus Galtier
    Harrow Iskra Juniper Kestrel Linden Marlowe Nimbus Orrin
    Pellow Quillon Rowanby Saffron Thistle Umbria Veritas Willoway
    Xantho Yarrow Zentara Bramble Calder Drift Ember Fable
    """.split()  # noqa: SIM905
)

COLOURS = (
    ("Black", "黑色"),
    ("White", "白色"),
    ("Green", "绿色"),
    ("Blue", "蓝色"),
    ("Red", "红色"),
    ("Grey", "灰色"),
)
NUM_STYLES = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Leaf:
    """A category of the second level and its words."""

    department: str
    name: str
    nouns: tuple[str, ...]
    nouns_zh: tuple[str, ...]
    styles: tuple[tuple[str, str], ...]  # (English, Chinese), NUM_STYLES of them
    sizes: tuple[tuple[str, str], ...]
    price: float
    period_days: int  # 0: it lasts
    complement: str

    @property
    def path(self) -> str:
        return f"{self.department} > {self.name}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(";"))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (word.split("=") for word in _words(text))
    return tuple((english, chinese) for english, chinese in pairs)


def _leaf(line: str) -> Leaf:
    path, nouns, zh, styles, sizes, price, period, along = line.split("|")
    department, name = (part.strip() for part in path.split(">"))
    return Leaf(
        department=department,
        name=name,
        nouns=_words(nouns),
        nouns_zh=_words(zh),
        styles=_pairs(styles),
        sizes=_pairs(sizes),
        price=float(price),
        period_days=int(period),
        complement=along.strip(),
    )


def leaves() -> tuple[Leaf, ...]:
    """All categories of the second level, departments together."""
    return tuple(_leaf(line) for line in LEAVES.strip().splitlines())
