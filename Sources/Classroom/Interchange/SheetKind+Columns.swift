extension SheetKind {
  /// The columns a sheet may have, in the order they are written. What is not required may be left out: rows that are
  /// there already then keep what they have.
  public var columns: [SheetColumn] {
    switch self {
    case .institutions: Self.institutionColumns
    case .rooms: Self.roomColumns
    case .persons: Self.personColumns
    case .classes: Self.classColumns
    case .clusters: Self.clusterColumns
    case .bells: Self.bellColumns
    case .terms: Self.termColumns
    case .courses: Self.courseColumns
    case .rosterTotals: Self.rosterColumns
    case .localLessons: Self.localColumns
    case .spaces: Self.spaceColumns
    }
  }

  /// The kind whose columns a header has, all of them known and none of the required missing; nil when it is none or
  /// more than one.
  public static func recognise(_ header: [String]) -> SheetKind? {
    let forms = header.map(SheetColumn.form).filter { !$0.isEmpty }
    guard !forms.isEmpty else { return nil }
    let fitting = allCases.filter { kind in
      let columns = kind.columns.map { ($0, Set($0.forms)) }
      return forms.allSatisfy { form in columns.contains { $0.1.contains(form) } }
        && columns.allSatisfy { column, names in !column.isRequired || forms.contains(where: names.contains) }
    }
    return fitting.count == 1 ? fitting[0] : nil
  }

  private static let institution = SheetColumn(
    .institution, "学校编号", "institution", ["学校", "机构编号", "学校标识码", "school"], required: true, key: true)

  /// Found by number, else by the ministry's code.
  private static let institutionColumns = [
    SheetColumn(.number, "编号", "number", ["学校编号", "机构编号", "no"], key: true),
    SheetColumn(.code, "学校标识码", "code", ["标识码", "学校代码", "schoolcode"], key: true),
    SheetColumn(.name, "名称", "name", ["学校名称", "机构名称", "学校"], required: true),
    SheetColumn(.kind, "类型", "kind", ["学校类型", "机构类型", "type"]),
    SheetColumn(.parent, "中心校", "parent", ["中心小学", "中心校编号", "中心小学编号", "上级学校"]),
    SheetColumn(.setting, "城乡", "setting", ["城乡类型", "城乡分类"]),
    SheetColumn(.region, "区县", "region", ["县区", "行政区", "地区"]),
    SheetColumn(.validFrom, "启用日期", "validFrom", ["设立日期"]),
    SheetColumn(.validUntil, "停用日期", "validUntil", ["撤销日期", "撤并日期"]),
    SheetColumn(.successor, "并入学校", "successor", ["并入学校编号"]),
  ]

  private static let roomColumns = [
    SheetColumn(.number, "教室编号", "number", ["编号", "room", "roomnumber"], required: true, key: true),
    institutionOfRow,
    SheetColumn(.name, "名称", "name", ["教室名称"]),
    SheetColumn(.equipment, "设备", "equipment", ["设备情况"]),
    SheetColumn(.acceptedOn, "验收日期", "acceptedOn", ["acceptedat", "验收"]),
    SheetColumn(.downlink, "下行带宽", "downlink", ["下行", "下行kbps"]),
    SheetColumn(.uplink, "上行带宽", "uplink", ["上行", "上行kbps"]),
  ]

  /// As it stands in sheets whose rows have another key.
  private static let institutionOfRow = SheetColumn(
    .institution, "学校编号", "institution", institution.aliases, required: true)

  /// Found by institution and staff number, else by the account.
  private static let personColumns = [
    SheetColumn(.institution, "学校编号", "institution", institution.aliases, key: true),
    SheetColumn(.staffNumber, "工号", "staffNumber", ["教师编号", "教工号", "职工号", "staff"], key: true),
    SheetColumn(.name, "姓名", "name", ["教师姓名", "教师", "名称"], required: true),
    SheetColumn(.issuer, "账号来源", "issuer", ["认证平台"], key: true),
    SheetColumn(.account, "账号", "account", ["平台账号", "sub"], key: true),
  ]

  private static let classColumns = [
    SheetColumn(.number, "班级编号", "number", ["编号", "class", "classnumber"], required: true, key: true),
    institutionOfRow,
    SheetColumn(.name, "班级名称", "name", ["名称", "班级"], required: true),
    SheetColumn(.typeCode, "班级类型", "typeCode", ["班级类型码", "类型"]),
    SheetColumn(.entryYears, "入学年份", "entryYears", ["入学年", "级", "entryyear"]),
    SheetColumn(.grades, "年级", "grades", ["grade"]),
    SheetColumn(.headCounts, "人数", "headCounts", ["学生数", "学生人数", "headcount", "pupils"]),
    SheetColumn(.homeRoom, "教室编号", "homeRoom", ["教室", "固定教室", "room"]),
    SheetColumn(.consentRecord, "同意书编号", "consentRecord", ["同意书", "consent"]),
  ]

  private static let clusterColumns = [
    SheetColumn(.number, "联校群编号", "number", ["编号", "群编号", "cluster"], required: true, key: true),
    SheetColumn(.name, "名称", "name", ["联校群", "联校群名称"], required: true),
    SheetColumn(.leads, "主讲学校", "leads", ["主讲学校编号", "主校", "中心校"], required: true),
    SheetColumn(.receivers, "接收学校", "receivers", ["接收学校编号", "教学点", "成员学校", "成员"]),
  ]

  private static let bellColumns =
    [
      institution,
      SheetColumn(.name, "作息名称", "name", ["名称", "作息时间", "作息"], required: true, key: true),
      SheetColumn(.from, "开始日期", "from", ["起始日期"]),
      SheetColumn(.through, "结束日期", "through", ["截止日期"]),
      SheetColumn(.weekdays, "星期", "weekdays", ["适用星期"]),
    ]
    + SheetField.periodColumns.enumerated().map { index, field in
      SheetColumn(
        field, "第\(index + 1)节", field.rawValue, [chineseNumeral(index + 1).map { "第\($0)节" }].compactMap { $0 })
    }

  private static func chineseNumeral(_ number: Int) -> String? {
    let numerals = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
    return numerals.indices.contains(number - 1) ? numerals[number - 1] : nil
  }

  private static let termColumns = [
    SheetColumn(.term, "学期", "term", ["学期代码", "code"], required: true, key: true),
    SheetColumn(.name, "名称", "name", ["学期名称"]),
    SheetColumn(.firstDay, "第一周日期", "firstDay", ["开学日期", "第一周", "首周"]),
    SheetColumn(.weekCount, "周数", "weeks", ["weekcount", "教学周数"]),
    SheetColumn(.region, "区县", "region", ["县区"], key: true),
    SheetColumn(.institution, "学校编号", "institution", institution.aliases, key: true),
    SheetColumn(.from, "开始日期", "from", ["日期", "date"], key: true),
    SheetColumn(.through, "结束日期", "through", ["截止日期"]),
    SheetColumn(.part, "时段", "part", ["上午下午"], key: true),
    SheetColumn(.rule, "安排", "rule", ["放假调休", "类型", "kind"]),
    SheetColumn(.followedWeekday, "按星期", "followedWeekday", ["按周几", "上星期几的课"]),
    SheetColumn(.followedWeek, "按周次", "followedWeek", ["按第几周"]),
    SheetColumn(.note, "说明", "note", ["节日", "备注"]),
  ]

  private static let courseColumns = [
    SheetColumn(.number, "课程编号", "number", ["编号", "course"], required: true, key: true),
    SheetColumn(.term, "学期", "term", [], key: true),
    SheetColumn(.cluster, "联校群编号", "cluster", ["群编号", "联校群"], required: true),
    SheetColumn(.subject, "学科", "subject", ["科目", "课程名称", "课程"], required: true),
    SheetColumn(.grades, "年级", "grades", ["grade"], required: true),
    SheetColumn(.textbook, "教材", "textbook", ["教材版本", "版本册次"]),
    SheetColumn(.leadRoom, "主讲教室", "leadRoom", ["主讲教室编号"], required: true),
    SheetColumn(.leadClass, "主讲班级", "leadClass", ["主讲班级编号"]),
    SheetColumn(.leadTeacher, "主讲教师", "leadTeacher", ["主讲教师工号", "主讲老师"]),
    SheetColumn(.rooms, "接收教室", "rooms", ["接收教室编号", "receivers"], required: true),
    SheetColumn(.classes, "接收班级", "classes", ["接收班级编号"]),
    SheetColumn(.teachers, "辅导教师", "teachers", ["接收教师", "助教", "辅导教师工号"]),
    SheetColumn(.mode, "方式", "mode", ["授课方式", "形式"]),
    SheetColumn(.label, "课堂类别", "label", ["类别", "三个课堂"]),
    SheetColumn(.times, "上课时间", "times", ["时间", "weeklytimes"]),
    SheetColumn(.weeks, "周次", "weeks", ["周数", "上课周次"]),
    SheetColumn(.audio, "声音", "audio", ["音频"]),
    SheetColumn(.adoptedBy, "采用主讲作息", "adoptedBy", ["采用主讲作息的教室", "按主讲作息"]),
  ]

  private static let rosterColumns = [
    institution,
    SheetColumn(.schoolYear, "学年", "schoolYear", ["学年度", "year"], required: true, key: true),
    SheetColumn(.grade, "年级", "grade", [], key: true),
    SheetColumn(.pupils, "学生数", "pupils", ["学生人数", "在校生数", "人数"], required: true),
    SheetColumn(.teacherCount, "教师数", "teachers", ["教师人数", "专任教师数"]),
  ]

  /// One of school, class, teacher and region says whose it is, as the kind wants it.
  private static let spaceColumns = [
    SheetColumn(.kind, "空间类型", "kind", ["类型", "type"], required: true, key: true),
    SheetColumn(.institution, "学校编号", "institution", institution.aliases, key: true),
    SheetColumn(.schoolClass, "班级编号", "class", ["班级"], key: true),
    SheetColumn(.teacher, "教师工号", "teacher", ["教师", "工号", "staffnumber"], key: true),
    SheetColumn(.region, "区县", "region", ["县区", "地区"], key: true),
    SheetColumn(.homePage, "平台主页", "homePage", ["主页", "空间主页"], required: true),
    SheetColumn(.spaceNumber, "空间账号", "spaceId", ["空间号", "账号", "spacenumber"], required: true),
  ]

  /// Among them those of WakeUp's tables.
  private static let localColumns = [
    SheetColumn(.schoolClass, "班级编号", "class", ["班级"], key: true),
    SheetColumn(.term, "学期", "term", []),
    SheetColumn(.subject, "课程名称", "subject", ["学科", "科目", "课程"], required: true),
    SheetColumn(.weekday, "星期", "weekday", ["周几", "day"], required: true, key: true),
    SheetColumn(.periods, "节次", "periods", ["节", "第几节", "period"], key: true),
    SheetColumn(.firstPeriod, "开始节数", "firstPeriod", ["开始节次"], key: true),
    SheetColumn(.lastPeriod, "结束节数", "lastPeriod", ["结束节次"], key: true),
    SheetColumn(.start, "开始时间", "start", ["上课时间"], key: true),
    SheetColumn(.end, "结束时间", "end", ["下课时间"], key: true),
    SheetColumn(.teacher, "教师", "teacher", ["老师", "任课教师", "教师工号"]),
    SheetColumn(.place, "地点", "place", ["上课地点", "教室"]),
    SheetColumn(.weeks, "周次", "weeks", ["周数"], key: true),
    SheetColumn(.origin, "来源", "origin", ["课堂来源"]),
  ]
}
