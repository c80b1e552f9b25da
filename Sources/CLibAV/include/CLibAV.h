#ifndef CLIBAV_H
#define CLIBAV_H

#include "tk_decode.h"
#include "tk_lesson.h"
#include "tk_media.h"
#include "tk_mux.h"
#include "tk_source.h"

#endif
