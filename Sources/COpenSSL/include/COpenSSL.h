#ifndef COPENSSL_H
#define COPENSSL_H

#include "tk_crypto.h"
#include "tk_dtls.h"
#include "tk_inspect.h"

#endif
