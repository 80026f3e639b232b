const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID_PATTERN.test(text);
}

/**
 * A UUIDv7 (RFC 9562 §5.7) from a wall time in milliseconds and 10 random bytes; pure, so that seeded ids are possible.
 * Ids made later sort later, to the millisecond.
 */
export function uuidV7(wallMilliseconds: number, randomBytes: Uint8Array): string {
  const time = wallMilliseconds.toString(16).padStart(12, '0');
  let random = '';
  for (let index = 0; index < 10; index += 1) {
    let byte = randomBytes[index] ?? 0;
    if (index === 0) byte = (byte & 0x0f) | 0x70;
    if (index === 2) byte = (byte & 0x3f) | 0x80;
    random += byte.toString(16).padStart(2, '0');
  }
  return `${time.slice(0, 8)}-${time.slice(8)}-${random.slice(0, 4)}-${random.slice(4, 8)}-${random.slice(8)}`;
}
