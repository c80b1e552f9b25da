import Classroom
import Testing

/// Sheets written as text, and a ledger that is nothing but values.
enum ImportSupport {
  static func sheet(_ kind: SheetKind, _ text: String) throws -> ImportSheet {
    try ImportSheet([UInt8](text.utf8), kind: kind) { _ in nil }
  }

  static func sheets(_ texts: [(SheetKind, String)]) throws -> [ImportSheet] {
    try texts.map { try sheet($0.0, $0.1) }
  }

  /// Identifiers in the order they are asked for.
  final class Counter {
    var count: UInt64 = 0
    func next() -> Identifier {
      count += 1
      return Identifier(high: 7, low: count)
    }
  }

  static func plan(
    _ texts: [(SheetKind, String)], onto base: ImportBase = ImportBase(), options: ImportOptions = ImportOptions()
  ) throws -> ImportPlan {
    let counter = Counter()
    counter.count = UInt64(base.institutions.count + base.courses.count) * 1_000
    return try ImportPlan.make(sheets(texts), onto: base, options: options, newIdentifier: counter.next)
  }

  static func issues(
    _ texts: [(SheetKind, String)], onto base: ImportBase = ImportBase(), options: ImportOptions = ImportOptions()
  ) throws -> [ImportIssue] {
    do {
      _ = try plan(texts, onto: base, options: options)
      return []
    } catch let refusal as ImportRefusal { return refusal.issues }
  }

  /// Code, row and column of each issue, as one text.
  static func codes(
    _ texts: [(SheetKind, String)], onto base: ImportBase = ImportBase(), options: ImportOptions = ImportOptions()
  ) throws -> [String] {
    try issues(texts, onto: base, options: options).map { "\($0.code) \($0.row) \($0.column)" }
  }
}

/// A small county, one sheet of each kind, as a coordinator would write it.
enum SampleCounty {
  static let institutions = """
    编号,学校标识码,名称,类型,中心校,城乡,区县,启用日期
    P01,2143000001,石桥中心小学,学校,,镇区,道县,2001/9/1
    P07,,石壁坳教学点,教学点,Ｐ０１,乡村,道县,
    P08,,上坪教学点,教学点,2143000001,农村,道县,
    """
  static let rooms = """
    学校编号;教室编号;名称;设备;验收日期;下行;上行
    P01;P01-1;录播教室;"摄像机、话筒; 大屏";2026年8月20日;100000;20000
    P07;P07-2;;;;;
    P08;P08-1;多功能室;;20260821;20,000;4000
    """
  static let persons = """
    学校编号\t工号\t姓名\t账号来源\t账号
    P01\t="001"\t王丽\thttps://id.example.cn\tu-17
    P01\t002\t王丽\t\t
    P07\t001\t李强\t\t
    """
  static let classes = """
    班级编号,学校编号,班级名称,班级类型,年级,人数,教室编号,同意书编号
    P01-B31,P01,三年级1班,10,三年级,38,P01-1,
    P07-B23,P07,二、三年级,12,"二、三",5、4,P07-2,T-2026-07
    P08-B31,P08,三年级,13,3,6,,
    """
  static let clusters = """
    编号,名称,主讲学校,接收学校
    Q1,石桥联校群,P01,P07、P08
    """
  static let bells = """
    学校编号,作息名称,开始日期,结束日期,星期,第1节,第2节,第三节
    P01,夏季,2026/5/1,2026/9/30,周一至周五,8:00-8:40,8：50～9：30,10点-10点40
    P01,冬季,,,,8:20-9:00,9:10-9:50,10:20-11:00
    P07,全年,,,1-7,8:10-8:50,9:00-9:40,
    """
  static let terms = """
    学期,名称,第一周日期,周数,区县,学校编号,开始日期,结束日期,时段,安排,按星期,按周次,说明
    2026-2027-1,2026年秋季学期,2026/9/1,20,,,,,,,,,
    2026-2027-1,,,,,,2026/10/1,2026/10/7,,放假,,,国庆节
    2026-2027-1,,,,,,2026/10/10,,,调休,周三,,
    2026-2027-1,,,,道县,,2026/11/11,,下午,放假,,,
    2026-2027-1,,2026/9/7,,,P08,,,,,,,
    """
  static let courses = """
    课程编号,学期,联校群编号,学科,年级,教材,主讲教室,主讲班级,主讲教师,接收教室,接收班级,辅导教师,方式,课堂类别,上课时间,周次,声音
    K0137,2026-2027-1,Q1,音乐,三年级,人音版三上,P01-1,P01-B31,002,P07-2、P08-1,P07-B23、-,李强、,同步,专递课堂,周一第3节、周三2(单周),1-16,音乐
    """
  static let rosterTotals = """
    学校编号,学年,年级,学生数,教师数
    P01,2026-2027,,820,46
    P07,2026-2027,,9,1
    P07,2026-2027,三年级,4,
    """
  static let localLessons = """
    班级,学期,课程名称,星期,开始节数,结束节数,老师,地点,周数
    P07-B23,2026-2027-1,语文,1,1,2,李强,,1-16
    P07-B23,2026-2027-1,红领巾广播,周五,2,2,校长,,单
    P07-B23,2026-2027-1,数学,周五,2,2,001,,双
    """
  static let spaces = """
    空间类型,学校编号,班级编号,教师工号,区县,平台主页,空间账号
    学校,P01,,,,https://space.example.cn,S-2143000001
    班级,P01,P01-B31,,,https://space.example.cn,C-310101
    名师,P01,,001,,https://space.example.cn,T-1
    区域,,,,道县,https://space.example.cn,Q-431124
    """

  static let all: [(SheetKind, String)] = [
    (.courses, courses), (.localLessons, localLessons), (.terms, terms), (.bells, bells), (.clusters, clusters),
    (.classes, classes), (.persons, persons), (.rooms, rooms), (.institutions, institutions),
    (.rosterTotals, rosterTotals), (.spaces, spaces),
  ]

  static let options = ImportOptions(schoolYear: 2026)

  /// The county as it stands after its first import.
  static func base() throws -> ImportBase {
    var base = ImportBase()
    base.apply(try ImportSupport.plan(all, options: options).changes)
    return base
  }
}
