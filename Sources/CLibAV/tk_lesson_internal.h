#ifndef TK_LESSON_INTERNAL_H
#define TK_LESSON_INTERNAL_H

#include "include/tk_lesson.h"
#include "tk_internal.h"

struct tk_lesson {
  tk_lesson_settings settings;
  tk_video_encoder video;
  tk_audio_encoder audio; /* Opus; opened at the first sound that is asked for */
  float *speech;
  size_t speech_count;
  int64_t frame;  /* number of the next picture */
  int64_t sample; /* number of the next sample */
  AVFrame *slide; /* background of the slide shown */
  int64_t slide_number;
};

/* Paints picture `frame` of the lesson into a yuv420p picture of the lesson's size. */
int tk_lesson_paint(tk_lesson *lesson, AVFrame *picture, int64_t frame, uint64_t strip_value);
/* Mono sound from sample number `from` on. */
void tk_lesson_sound(const tk_lesson *lesson, int64_t from, float *samples, int count);

#endif
