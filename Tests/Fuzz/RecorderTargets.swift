// What the fuzz target of the lesson log does with its bytes: `countPackets` says how they become a segment.
import Recorder

let recorderTargets: [FuzzTarget] = [("lessonlog", { use(countPackets(ofForgedSegment: $0)) })]
