"""Texts in Chinese, Japanese and Korean; the gold stays in their language."""

from spokesmith.data.kinds.family import Kind, T
from spokesmith.data.words import listed

KIND = Kind(
    name="east_asian",
    alone=True,
    words={
        "ren": listed("王芳, 李强, 张伟, 陈静, 刘洋, 赵敏, 周杰, 吴磊, 孙丽, 马超, 郑爽, 林悦"),
        "cheng": listed("杭州, 南京, 武汉, 青岛, 昆明, 长沙, 苏州, 大连, 兰州, 厦门"),
        "wu": listed("水泵, 电梯, 空调, 打印机, 服务器, 锅炉, 路由器, 冷库, 投影仪"),
        "cai": listed("红烧茄子, 番茄炒蛋, 葱油面, 土豆丝, 豆腐汤, 糖醋排骨, 蒸鱼, 绿豆粥"),
        "yin": listed("下大雪, 停电, 配件没有到, 轨道检修, 有人请假, 地址写错, 机房进水"),
        "huo": listed("椅子, 灯泡, 书, 纸箱, 毛毯, 杯子, 雨伞, 电池"),
        "hito": listed(
            "佐藤さん, 鈴木さん, 高橋さん, 田中さん, 伊藤さん, 中村さん, 小林さん, 森さん"
        ),
        "machi": listed("札幌, 仙台, 金沢, 岡山, 長崎, 松本, 高知, 秋田, 浜松"),
        "mono": listed("椅子, 本, 箱, 毛布, 傘, 電池, 皿, 鍵"),
        "wake": listed("停電, 大雪, 部品の不足, 入力の誤り, 配管の水漏れ, 信号の故障"),
        "kikai": listed("ポンプ, サーバー, 冷蔵庫, 印刷機, エレベーター, 暖房"),
        "saram": listed("김민수, 이지은, 박서준, 최유리, 정하늘, 한지민, 오세훈, 윤아라"),
        "dosi": listed("부산, 대구, 전주, 강릉, 여수, 청주, 목포, 제주"),
        "iyu": listed("정전, 폭설, 부품 부족, 입력 오류, 누수, 신호 고장"),
    },
    types={
        **dict.fromkeys(("ren", "hito", "saram"), "person"),
        **dict.fromkeys(("cheng", "machi", "dosi"), "place"),
        "cai": "product",
    },
    templates=(
        T(
            "<<gs:开往{cheng!终点}的列车{x=flip:晚点/取消}>>，原因是<<b:{yin}>>。<<n:{ren!乘客}改坐{n=plain:2:90}路"
            "汽车，{h=plain:7:21}点{m=plain:10:59}分到达。>>",
            "列车=出行/铁路",
            "success neutral routine/failure frustrating notable",
            layout="prose",
        ),
        T(
            "<<gs:{wu#}{x=flip:已经修好/还没有修好}>>。<<n:{ren!维修}换了{n=plain:2:9}个零件，花了{a=plain:100:9000}元，"
            "温度从{b=plain:41:90}度降到{c=plain:12:40}度。>>",
            "维修=设备/故障",
            "success satisfying routine/ongoing frustrating notable",
            layout="prose",
        ),
        T(
            "{cai#!菜名}：<<s:{a=plain:100:900}克主料，{b=plain:2:40}毫升油，不放糖。>><<n:中火{t=plain:5:60}分钟，"
            "够{n=plain:2:9}个人吃。>>",
            "菜谱=烹饪/家常菜",
            layout="prose",
            gist="{cai}，够{n}个人吃",
        ),
        T(
            "<<gs:会议改到{d=plain:2:28}日{h=plain:8:19}点，不是{e=plain:2:28}日>>。<<n:{ren!主持}主持，{ren2!缺席}"
            "不参加，带{n=plain:2:60}份材料。>>",
            "会议=工作/安排",
            "ongoing neutral routine",
            layout="prose",
            concepts="材料",
            swap="ren ren2",
        ),
        T(
            "<<gs:{ren!卖家}把{n=plain:12:90}把{huo#}卖给{ren2!买家}>>，每把{a=plain:12:90}元，以前是{b=plain:91:200}元。"
            "<<n:货从{cheng!发货地}发出，没有收据。>>",
            "买卖=生意/交易",
            "success neutral routine",
            layout="prose",
            swap="ren ren2",
        ),
        T(
            "<<gs:{cheng!城市}的{n=plain:2:60}名学生{x=flip:通过/没有通过}考试>>，最高{a=plain:80:99}分，最低"
            "{b=plain:20:59}分。<<n:{ren!老师}说下次在{m=plain:2:12}月。>>",
            "考试=教育/成绩",
            "success satisfying notable/failure concerning notable",
            layout="prose",
            concepts="学生",
        ),
        T(
            "<<gs:{machi!行き先}行きの電車は{wake#}のため{n=plain:12:95}分遅れています>>。<<n:{hito!乗客}は"
            "{h=plain:7:21}時{m=plain:10:59}分のバスに乗りました。>>",
            "電車=交通/遅れ",
            "ongoing frustrating routine",
            layout="prose",
        ),
        T(
            "<<gs:{kikai#}は{x=flip:直りました/まだ直っていません}>>。<<n:{hito!担当}が部品を{n=plain:2:9}個交換し、費用は"
            "{a=num:1000:90000}円でした。>>",
            "修理=設備/故障",
            "success satisfying routine/ongoing frustrating notable",
            layout="prose",
        ),
        T(
            "<<gs:会議は{d=plain:2:28}日ではなく{e=plain:2:28}日の{h=plain:9:18}時からです>>。<<n:{hito!司会}が司会をし、"
            "{hito2!欠席}は来ません。資料は{n=plain:2:60}部です。>>",
            "会議=仕事/予定",
            "ongoing neutral routine",
            layout="prose",
            concepts="資料",
            swap="d e",
        ),
        T(
            "<<gs:{hito!買い手}は{mono#}を{n=plain:2:60}個買い、{hito2!売り手}に{a=num:1000:90000}円払いました>>。"
            "<<n:{machi!店}の店では{b=plain:100:900}円安かったそうです。>>",
            "買い物=生活/買い物",
            "success neutral routine",
            layout="prose",
            swap="hito hito2",
        ),
        T(
            "<<gs:{saram!담당자}는 {d=plain:2:28}일 회의에 {x=flip:참석합니다/참석하지 않습니다}>>. <<n:자료는"
            " {n=plain:2:60}부, 장소는 {dosi!장소} {k=plain:2:30}층입니다.>>",
            "회의=업무/일정",
            "ongoing neutral routine",
            layout="prose",
            concepts="자료",
        ),
        T(
            "<<gs:{dosi!목적지}행 버스 {n=plain:100:990}번은 {iyu} 때문에 {a=plain:12:90}분 늦습니다>>. <<n:{saram!승객}은"
            " {h=plain:7:21}시 {m=plain:10:59}분 기차를 탔습니다.>>",
            "버스=교통/지연",
            "ongoing frustrating routine",
            layout="prose",
            concepts="기차",
        ),
    ),
)
