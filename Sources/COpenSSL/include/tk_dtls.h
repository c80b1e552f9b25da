#ifndef TK_DTLS_H
#define TK_DTLS_H
#endif
