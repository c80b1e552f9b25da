#ifndef TK_LESSON_H
#define TK_LESSON_H

#include "tk_media.h"

/* A generated lesson: slides, a moving element, strip, flash and beep, speech. */
typedef struct tk_lesson tk_lesson;

typedef struct {
  int width;
  int height;
  int frames_per_second;
  int64_t bits_per_second;
  int key_frame_seconds;
  int encoding;
  /* 1: main profile with two B-frames between others, for files only. */
  int b_frames;
} tk_lesson_settings;

/* speech is mono 48 kHz, copied; without any, tone bursts take its place. */
tk_lesson *tk_lesson_open(const tk_lesson_settings *settings, const float *speech, size_t speech_count, int *status);
void tk_lesson_free(tk_lesson *lesson);

/* Paints the next picture with the value in its strip and encodes it. */
int tk_lesson_video(tk_lesson *lesson, uint64_t strip_value, tk_packet *packet);
/* The next 20 ms of sound as Opus. */
int tk_lesson_audio(tk_lesson *lesson, tk_packet *packet);
void tk_lesson_request_key(tk_lesson *lesson);

/* Whole files; the strip counts frames from 0. */
int tk_lesson_write_mp4(tk_lesson *lesson, const char *path, double seconds);
int tk_lesson_write_y4m(tk_lesson *lesson, const char *path, double seconds);
int tk_lesson_write_mjpeg(tk_lesson *lesson, const char *path, double seconds);
int tk_lesson_write_wav(tk_lesson *lesson, const char *path, double seconds);

#endif
