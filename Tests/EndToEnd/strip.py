"""The machine-readable strip along the top edge of a lesson's pictures, written apart from the product's own.

44 equal cells over the whole width: 36 bits of value, most significant first, then CRC-8 (polynomial 0x2F, start 0x5A,
complemented) over the value as five bytes. White is 1. The strip takes 2/45 of the height.
"""

VALUE_BITS = 36
CHECK_BITS = 8
CELLS = VALUE_BITS + CHECK_BITS


def check(value: int) -> int:
    remainder = 0x5A
    for octet in value.to_bytes(5, "big"):
        remainder ^= octet
        for _ in range(8):
            remainder = (remainder << 1 ^ 0x2F if remainder & 0x80 else remainder << 1) & 0xFF
    return remainder ^ 0xFF


def paint(luma, value: int) -> None:
    """Paints into a numpy array of 8-bit limited-range luma, shape (height, width)."""
    height, width = luma.shape
    bits = value << CHECK_BITS | check(value)
    rows = max(4, height * 2 // 45)
    for cell in range(CELLS):
        level = 235 if bits >> (CELLS - 1 - cell) & 1 else 16
        luma[:rows, width * cell // CELLS : width * (cell + 1) // CELLS] = level


def read(luma, width: int, height: int, stride: int) -> int | None:
    """The value of the strip of a luma plane (anything that indexes as bytes), None where it does not read."""
    top, bottom = height // 90, max(height // 30, height // 90 + 1)
    rows = range(top, bottom, max(1, (bottom - top) // 4))
    bits, white, black = 0, 255, 0
    for cell in range(CELLS):
        left = int((cell + 0.3) * width / CELLS)
        right = max(left + 1, int((cell + 0.7) * width / CELLS))
        total = sum(sum(luma[y * stride + left : y * stride + right]) for y in rows)
        level = total / (len(rows) * (right - left))
        if level >= 126:
            bits |= 1 << (CELLS - 1 - cell)
            white = min(white, level)
        else:
            black = max(black, level)
    if white - black < 30:
        return None
    value = bits >> CHECK_BITS
    return value if check(value) == bits & 0xFF else None
