#include "tk_lesson_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Flash and beep begin at odd seconds and last this long. */
enum { TK_SIGNAL_SAMPLES = 48000 / 5, TK_QUIET_SAMPLES = 2400, TK_SLIDE_SECONDS = 5 };

static void fill(AVFrame *picture, int x, int y, int width, int height, int luma, int cb, int cr) {
  int right = x + width < picture->width ? x + width : picture->width;
  int bottom = y + height < picture->height ? y + height : picture->height;
  if (x < 0) x = 0;
  if (y < 0) y = 0;
  if (right <= x || bottom <= y) return;
  for (int row = y; row < bottom; row += 1) {
    memset(picture->data[0] + (ptrdiff_t)row * picture->linesize[0] + x, luma, (size_t)(right - x));
  }
  for (int row = y / 2; row < (bottom + 1) / 2; row += 1) {
    size_t count = (size_t)((right + 1) / 2 - x / 2);
    memset(picture->data[1] + (ptrdiff_t)row * picture->linesize[1] + x / 2, cb, count);
    memset(picture->data[2] + (ptrdiff_t)row * picture->linesize[2] + x / 2, cr, count);
  }
}

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* A title bar and lines of blocks of uneven width, as text looks from the back of a classroom. */
static void paint_slide(AVFrame *slide, int64_t number) {
  uint32_t state = (uint32_t)number * 2654435761u + 1;
  int width = slide->width, height = slide->height;
  fill(slide, 0, 0, width, height, 225, 126, 130);
  fill(slide, 0, height / 12, width, height / 9, 90 + (int)(number % 4) * 20, 150 + (int)(number % 3) * 12, 110);
  int unit = height / 60 > 2 ? height / 60 : 2;
  for (int x = width / 16; x < width / 2; x += unit * 4) {
    fill(slide, x, height / 8, unit * 3 - (int)(next_random(&state) % 2) * unit, unit * 2, 235, 128, 128);
  }
  for (int line = 0; line < 9; line += 1) {
    int y = height / 4 + line * height / 13;
    int end = width * 2 / 3 - (int)(next_random(&state) % 100) * width / 400;
    for (int x = width / 16; x < end;) {
      int letters = 1 + (int)(next_random(&state) % 4);
      fill(slide, x, y, letters * unit, unit * 2, 40, 128, 128);
      fill(slide, x + unit / 2, y + unit / 2, letters * unit - unit, unit / 2 + 1, 180, 128, 128);
      x += letters * unit + unit;
    }
  }
  fill(slide, width * 3 / 4, height / 4, width / 5, height / 3, 120, 100 + (int)(next_random(&state) % 60), 150);
}

/* The teacher's camera: grain that never repeats, so that the stream has the rate it is set to. */
static void paint_camera(AVFrame *picture, int64_t frame) {
  int left = picture->width * 3 / 4, top = picture->height / 4;
  int width = picture->width / 5, height = picture->height / 3;
  uint64_t state = (uint64_t)frame * 0x9E3779B97F4A7C15u + 1;
  for (int y = 0; y < height; y += 1) {
    uint8_t *row = picture->data[0] + (ptrdiff_t)(top + y) * picture->linesize[0] + left;
    for (int x = 0; x < width; x += 8) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      int shade = 80 + 60 * y / height;
      for (int i = 0; i < 8 && x + i < width; i += 1) row[x + i] = (uint8_t)(shade + (int)(state >> (8 * i) & 15));
    }
  }
}

static int64_t sample_of_frame(const tk_lesson *lesson, int64_t frame) {
  return frame * 48000 / lesson->settings.frames_per_second;
}

static int is_signal(int64_t sample) {
  int64_t phase = sample % 96000;
  return phase >= 48000 && phase < 48000 + TK_SIGNAL_SAMPLES;
}

int tk_lesson_paint(tk_lesson *lesson, AVFrame *picture, int64_t frame, uint64_t strip_value) {
  int width = picture->width, height = picture->height;
  int64_t number = frame / ((int64_t)lesson->settings.frames_per_second * TK_SLIDE_SECONDS);
  if (number != lesson->slide_number) {
    paint_slide(lesson->slide, number);
    lesson->slide_number = number;
  }
  if (av_frame_copy(picture, lesson->slide) < 0) return tk_fail(TK_ENCODE, "picture", 0);
  paint_camera(picture, frame);
  /* A pointer that wanders over the lines. */
  int size = height / 16;
  int x = (int)((frame * width / 100) % (width * 2));
  if (x >= width) x = width * 2 - 1 - x;
  int y = height / 4 + (int)((double)height / 4 * (1 + sin((double)frame / 11)));
  fill(picture, x * 11 / 16, y, size, size, 150, 60, 200);
  fill(picture, x * 11 / 16 + size / 4, y + size / 4, size / 2, size / 2, 60, 200, 90);
  int light = is_signal(sample_of_frame(lesson, frame)) ? 235 : 30;
  fill(picture, width * 3 / 4, height * 3 / 4, width / 4, height / 4, light, 128, 128);
  tk_strip_paint(picture, strip_value);
  return TK_OK;
}

/* Without speech: bursts at pitches well away from the beep's 1 kHz. */
static float tone(int64_t sample) {
  static const int pitches[4] = {220, 330, 277, 440};
  int64_t step = sample / 12000;
  if (step % 3 == 2) return 0;
  double phase = (double)(sample % 48000) * pitches[step % 4] / 48000;
  return (float)(0.2 * sin(2 * M_PI * phase));
}

void tk_lesson_sound(const tk_lesson *lesson, int64_t from, float *samples, int count) {
  for (int i = 0; i < count; i += 1) {
    int64_t sample = from + i;
    int64_t phase = sample % 96000;
    if (phase >= 48000 && phase < 48000 + TK_SIGNAL_SAMPLES) {
      samples[i] = (float)(0.5 * sin(2 * M_PI * (double)(phase % 48) / 48));
    } else if (phase > 48000 - TK_QUIET_SAMPLES && phase < 48000 + TK_SIGNAL_SAMPLES + TK_QUIET_SAMPLES) {
      samples[i] = 0;
    } else if (lesson->speech_count > 0) {
      samples[i] = lesson->speech[sample % (int64_t)lesson->speech_count];
    } else {
      samples[i] = tone(sample);
    }
  }
}

tk_lesson *tk_lesson_open(const tk_lesson_settings *settings, const float *speech, size_t speech_count, int *status) {
  *status = TK_ENCODE;
  if (settings->frames_per_second < 1 || settings->frames_per_second > 120 || settings->width < 96 ||
      settings->height < 90 || settings->key_frame_seconds < 1 || settings->bits_per_second < 1000) {
    *status = tk_fail(TK_UNSUPPORTED, "lesson settings", 0);
    return NULL;
  }
  tk_lesson *lesson = calloc(1, sizeof *lesson);
  if (!lesson) return NULL;
  lesson->settings = *settings;
  lesson->slide_number = -1;
  tk_video_settings video = {
      .encoding = settings->encoding,
      .width = settings->width,
      .height = settings->height,
      .rate = {settings->frames_per_second, 1},
      .bits_per_second = settings->bits_per_second,
      .key_frame_seconds = settings->key_frame_seconds,
      .b_frames = settings->b_frames,
      .is_fast = 1,
  };
  *status = tk_video_encoder_open(&lesson->video, &video);
  if (*status == TK_OK && speech_count > 0) {
    lesson->speech = malloc(speech_count * sizeof *speech);
    if (lesson->speech) {
      memcpy(lesson->speech, speech, speech_count * sizeof *speech);
      lesson->speech_count = speech_count;
    }
  }
  if (*status == TK_OK) {
    lesson->slide = av_frame_alloc();
    if (lesson->slide) {
      lesson->slide->format = AV_PIX_FMT_YUV420P;
      lesson->slide->width = lesson->video.frame->width;
      lesson->slide->height = lesson->video.frame->height;
    }
    if (!lesson->slide || av_frame_get_buffer(lesson->slide, 0) < 0) *status = tk_fail(TK_ENCODE, "memory", 0);
  }
  if (*status == TK_OK) return lesson;
  tk_lesson_free(lesson);
  return NULL;
}

void tk_lesson_free(tk_lesson *lesson) {
  if (!lesson) return;
  tk_video_encoder_close(&lesson->video);
  tk_audio_encoder_close(&lesson->audio);
  av_frame_free(&lesson->slide);
  free(lesson->speech);
  free(lesson);
}

void tk_lesson_request_key(tk_lesson *lesson) { lesson->video.wants_key = 1; }

int tk_lesson_video(tk_lesson *lesson, uint64_t strip_value, tk_packet *packet) {
  tk_video_encoder *encoder = &lesson->video;
  int rate = lesson->settings.frames_per_second;
  int result = tk_video_encoder_prepare(encoder);
  if (result == TK_OK) result = tk_lesson_paint(lesson, encoder->frame, lesson->frame, strip_value);
  if (result != TK_OK) return result;
  int64_t at = lesson->frame * 1000000 / rate;
  lesson->frame += 1;
  result = tk_video_encoder_send(encoder, at);
  if (result == TK_OK) result = tk_video_encoder_receive(encoder);
  if (result != TK_OK) return result < 0 ? result : tk_fail(TK_ENCODE, "encoder holds pictures back", 0);
  *packet = (tk_packet){encoder->packet->data, (size_t)encoder->packet->size, at, 1000000 / rate,
                        encoder->packet->flags & AV_PKT_FLAG_KEY, lesson->settings.encoding};
  return TK_OK;
}

int tk_lesson_audio(tk_lesson *lesson, tk_packet *packet) {
  tk_audio_encoder *encoder = &lesson->audio;
  if (!encoder->context) {
    int result = tk_audio_encoder_open(encoder, "libopus", 48000, 0);
    if (result != TK_OK) return result;
  }
  for (;;) {
    int result = tk_audio_encoder_receive(encoder);
    if (result == TK_OK) break;
    if (result != TK_AGAIN) return result < 0 ? result : TK_ENCODE;
    float samples[960];
    tk_lesson_sound(lesson, lesson->sample, samples, 960);
    lesson->sample += 960;
    float *const planes[2] = {samples, samples};
    result = tk_audio_encoder_push(encoder, planes, 960);
    if (result != TK_OK) return result;
  }
  int64_t at = av_rescale(encoder->packet->pts, 1000000, 48000);
  *packet = (tk_packet){encoder->packet->data, (size_t)encoder->packet->size, at < 0 ? 0 : at, 20000, 1, TK_OPUS};
  return TK_OK;
}
