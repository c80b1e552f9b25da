// What the fuzz targets of media do with their bytes.
import Media

let mediaTargets: [FuzzTarget] = [
  ("mediaunits", { use(countUnits(ofPackets: $0)) }),
  // A limit, because decoding and encoding again take their time; what comes behind is more of the same.
  ("mediafile", { use(countUnits(ofMedia: $0, unitLimit: 50)) }),
]
