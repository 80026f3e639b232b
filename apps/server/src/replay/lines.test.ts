import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FileLine, LINE_BYTES_MAX, readLines } from './lines.ts';

async function* inChunks(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += Math.max(1, size)) yield bytes.subarray(from, from + size);
}

async function linesOf(bytes: Uint8Array, chunkSize?: number): Promise<FileLine[]> {
  return Array.fromAsync(readLines(inChunks(bytes, chunkSize)));
}

const textsOf = async (bytes: Uint8Array, chunkSize?: number) =>
  (await linesOf(bytes, chunkSize)).map(({ text }) => text);

describe('lines of a file', () => {
  test('given line ends of Unix and of Windows, and no end after the last, when it is read, then each line is one', async () => {
    expect(await textsOf(Buffer.from('a\r\nb\n\nc'))).toEqual(['a', 'b', '', 'c']);
    expect(await textsOf(Buffer.from('a\n'))).toEqual(['a']);
    expect(await textsOf(Buffer.alloc(0))).toEqual([]);
  });

  test('given UTF-8 with a mark, UTF-16 and Latin-1, when they are read, then they say the same', async () => {
    const text = 'Café\nBrød\n';
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
    const bigEndian = Buffer.from(utf16).swap16();
    for (const bytes of [Buffer.from(text), marked, utf16, bigEndian, Buffer.from(text, 'latin1')]) {
      for (const size of [1, 2, 3, 100]) expect(await textsOf(bytes, size)).toEqual(['Café', 'Brød']);
    }
  });

  test('given a file that mixes encodings, when it is read, then each line is read by itself', async () => {
    const mixed = Buffer.concat([Buffer.from('Café\n'), Buffer.from('Café\n', 'latin1'), Buffer.from('plain')]);
    expect(await textsOf(mixed)).toEqual(['Café', 'Café', 'plain']);
  });

  test('given a line without an end in sight, when it is read, then only its beginning is kept and the next goes on', async () => {
    const long = Buffer.concat([Buffer.alloc(3 * LINE_BYTES_MAX, 'x'), Buffer.from('\nnext')]);
    const [first, second] = await linesOf(long, 1_000);
    expect(first?.isCut).toBe(true);
    expect(first?.text).toHaveLength(LINE_BYTES_MAX);
    expect(second).toEqual({ number: 2, text: 'next', isCut: false });
  });

  test('given any bytes in chunks of any size, when they are read, then there is a line for each end and one for the rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), async (bytes, size) => {
        fc.pre(!(bytes[0] === 0xff && bytes[1] === 0xfe) && !(bytes[0] === 0xfe && bytes[1] === 0xff));
        const ends = bytes.filter((byte) => byte === 0x0a).length;
        const rest = bytes.length > 0 && bytes.at(-1) !== 0x0a ? 1 : 0;
        const isOnlyMark = bytes.length === 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
        const lines = await linesOf(bytes, size);
        expect(lines).toHaveLength(isOnlyMark ? 0 : ends + rest);
        expect(lines).toEqual(await linesOf(bytes));
      }),
    );
  });
});
