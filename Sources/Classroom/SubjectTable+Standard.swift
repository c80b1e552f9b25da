extension SubjectTable {
  static let standardSubjects = languagesAndSciences + artsAndPractice

  private static let languagesAndSciences: [Subject] = [
    Subject(
      key: "moralityAndLaw", name: "道德与法治", englishName: "Morality and Law",
      aliases: ["道法", "品德", "思品", "政治", "思想品德", "品德与生活", "品德与社会"]),
    Subject(key: "chinese", name: "语文", englishName: "Chinese", code: "13"),
    Subject(key: "mathematics", name: "数学", englishName: "Mathematics", aliases: ["Maths"], code: "14"),
    Subject(key: "foreignLanguage", name: "外语", englishName: "Foreign Language", code: "40"),
    Subject(
      key: "english", name: "英语", englishName: "English", aliases: ["小学英语"], code: "41",
      satisfies: ["foreignLanguage"]),
    Subject(key: "japanese", name: "日语", englishName: "Japanese", code: "42", satisfies: ["foreignLanguage"]),
    Subject(
      key: "russian", name: "俄语", englishName: "Russian", aliases: ["俄罗斯语"], code: "43",
      satisfies: ["foreignLanguage"]),
    Subject(
      key: "otherForeignLanguage", name: "其他外国语", englishName: "Other Foreign Language", code: "49",
      satisfies: ["foreignLanguage"]),
    Subject(
      key: "science", name: "科学", englishName: "Science", aliases: ["自然"], code: "15",
      satisfies: ["physics", "chemistry", "biology"]),
    Subject(key: "physics", name: "物理", englishName: "Physics", code: "16"),
    Subject(key: "chemistry", name: "化学", englishName: "Chemistry", code: "17"),
    Subject(key: "biology", name: "生物学", englishName: "Biology", aliases: ["生物"], code: "18"),
    Subject(
      key: "historyAndSociety", name: "历史与社会", englishName: "History and Society", code: "19",
      satisfies: ["history", "geography"]),
    Subject(key: "history", name: "历史", englishName: "History", code: "21"),
    Subject(key: "geography", name: "地理", englishName: "Geography", code: "20"),
    Subject(
      key: "informationTechnology", name: "信息科技", englishName: "Information Technology",
      aliases: ["信息技术", "信息", "计算机", "电脑"]),
  ]

  private static let artsAndPractice: [Subject] = [
    Subject(
      key: "physicalEducation", name: "体育与健康", englishName: "Physical Education and Health",
      aliases: ["体育", "体健"], code: "22"),
    Subject(key: "arts", name: "艺术", englishName: "Arts", code: "23"),
    Subject(
      key: "music", name: "音乐", englishName: "Music", aliases: ["唱歌"], code: "24", satisfies: ["arts"]),
    Subject(
      key: "fineArts", name: "美术", englishName: "Fine Arts", aliases: ["图画", "Art"], code: "25",
      satisfies: ["arts"]),
    Subject(
      key: "labour", name: "劳动", englishName: "Labour", aliases: ["劳动教育", "劳技", "劳动与技术"]),
    Subject(
      key: "integratedPractice", name: "综合实践活动", englishName: "Integrated Practice",
      aliases: ["综合实践", "综合"], code: "60"),
    Subject(key: "generalTechnology", name: "通用技术", englishName: "General Technology", code: "27"),
    Subject(
      key: "mentalHealth", name: "心理健康", englishName: "Mental Health", aliases: ["心理", "心理健康教育"]),
    Subject(key: "calligraphy", name: "书法", englishName: "Calligraphy", aliases: ["写字"]),
    Subject(key: "localCurriculum", name: "地方课程", englishName: "Local Curriculum", aliases: ["地方"]),
    Subject(
      key: "schoolCurriculum", name: "校本课程", englishName: "School Curriculum", aliases: ["校本"]),
    Subject(
      key: "classMeeting", name: "班会", englishName: "Class Meeting", aliases: ["班队会", "班队", "队会"]),
  ]
}
