// Part of `npm run format`: breaks comments that are wider than the 120 characters that the tidy test allows. The
// formatter leaves comments alone. What is cut off a line goes to the front of the next one of the same comment.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const WIDTH = 120;
const root = fileURLToPath(new URL('..', import.meta.url));

/** The mark that a comment line begins with, its indentation included; undefined for a line that is none. */
function markOf(line, isSql) {
  return (isSql ? /^\s*-- */ : /^\s*(\/\/ *|\* +(?!\/))/).exec(line)?.[0];
}

/** A one-line block comment that is too wide becomes one of several lines. */
function opened(line) {
  const block = /^(\s*)\/\*\* (.*) \*\/$/.exec(line);
  if (line.length <= WIDTH || block === null) return [line];
  return [`${block[1]}/**`, `${block[1]} * ${block[2]}`, `${block[1]} */`];
}

function wrapped(text, isSql) {
  const lines = text.split('\n').flatMap(isSql ? (line) => [line] : opened);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const mark = markOf(line, isSql);
    if (line.length <= WIDTH || mark === undefined) continue;
    const cut = line.lastIndexOf(' ', WIDTH);
    if (cut <= mark.length) continue;
    const rest = line.slice(cut + 1);
    lines[at] = line.slice(0, cut);
    const next = lines[at + 1] ?? '';
    const nextText = next.slice(mark.length);
    const continues = markOf(next, isSql) === mark && /^[\p{L}\p{N}(`'"…]/u.test(nextText);
    if (continues) lines[at + 1] = `${mark}${rest} ${nextText}`;
    else lines.splice(at + 1, 0, `${mark}${rest}`);
  }
  return lines.join('\n');
}

const git = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
const list = execFileSync('git', git, { cwd: root, encoding: 'utf8' });
for (const path of list.split('\0').filter((name) => /\.(ts|tsx|mjs|sql)$/.test(name))) {
  let text;
  try {
    text = readFileSync(`${root}/${path}`, 'utf8');
  } catch {
    continue; // deleted, and not committed yet
  }
  const better = wrapped(text, path.endsWith('.sql'));
  if (better !== text) {
    writeFileSync(`${root}/${path}`, better);
    console.log(`wrapped ${path}`);
  }
}
