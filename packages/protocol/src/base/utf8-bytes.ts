/** UTF-8 takes at most this many bytes for one UTF-16 unit. */
export const UTF8_BYTES_PER_UNIT = 3;

/** Length of a text in UTF-8, without encoding it. A lone surrogate counts as the three bytes it is replaced by. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair is two units and four bytes: the second unit adds nothing beyond its own count and that of the first.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) index += 1;
  }
  return bytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
