import { isUtf8 } from 'node:buffer';

/** One line of a file as text, without its end. Lines are counted from 1. */
export type FileLine = {
  readonly number: number;
  readonly text: string;
  /** It was longer than {@link LINE_BYTES_MAX}, and `text` is only its beginning. */
  readonly isCut: boolean;
};

/** What is longer is no line of a till; only its beginning is kept, so that memory stays bounded. */
export const LINE_BYTES_MAX = 64 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const latin1 = new TextDecoder('windows-1252');

/**
 * Splits a file into lines as it streams by. UTF-8 and UTF-16 by their byte order mark; a line that is no UTF-8 is read
 * as Latin-1 (as Windows writes it), each line for itself, since tills mix them. Holds one chunk and one line at a
 * time.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FileLine> {
  let number = 0;
  let parts: Buffer[] = [];
  let bytes = 0;

  function take(): FileLine {
    const line = lineOf((number += 1), parts, bytes);
    parts = [];
    bytes = 0;
    return line;
  }

  function keep(part: Buffer): void {
    const room = LINE_BYTES_MAX - Math.min(bytes, LINE_BYTES_MAX);
    // A copy: a part of a chunk would keep the whole chunk in memory.
    if (room > 0 && part.length > 0) parts.push(Buffer.from(part.subarray(0, room)));
    bytes += part.length;
  }

  for await (const chunk of asUtf8(chunks)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (bytes > 0) yield take();
}

function lineOf(number: number, parts: readonly Buffer[], bytes: number): FileLine {
  const whole = Buffer.concat(parts);
  const line = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
  const isCut = bytes > LINE_BYTES_MAX;
  // A cut may go through the middle of a letter.
  if (isCut || isUtf8(line)) return { number, text: line.toString('utf8'), isCut };
  return { number, text: latin1.decode(line), isCut };
}

/** Takes the byte order mark off, and turns UTF-16 into UTF-8. */
async function* asUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  let decoder: TextDecoder | undefined;
  for await (const chunk of chunks) {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (head !== undefined) {
      head = Buffer.concat([head, bytes]);
      if (head.length < 3) continue;
      decoder = utf16Of(head);
      bytes = withoutMark(head);
      head = undefined;
    }
    yield decoder === undefined ? bytes : Buffer.from(decoder.decode(bytes, { stream: true }), 'utf8');
  }
  if (head !== undefined) yield withoutMark(head);
  else if (decoder !== undefined) yield Buffer.from(decoder.decode(), 'utf8');
}

function utf16Of(head: Buffer): TextDecoder | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder('utf-16le');
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder('utf-16be');
  return undefined;
}

/** The decoder of UTF-16 takes its own mark off. */
function withoutMark(head: Buffer): Buffer {
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? head.subarray(3) : head;
}
