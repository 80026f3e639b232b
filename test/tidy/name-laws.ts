import { type Law, lawForEach } from './law.ts';
import { isCode, isNode, lineAt, type Source, walk } from './source.ts';

const KEBAB = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/;
const NAMED_BY_OTHERS = new Set([
  ...['README.md', 'LICENSE', 'CHANGELOG.md', 'NOTICE', '.gitkeep'],
  ...['Dockerfile', 'Dockerfile.dockerignore', 'Caddyfile'],
]);
const EMPTY_WORDS = ['Manager', 'Helper', 'Helpers', 'Base', 'Impl', 'Util', 'Utils', 'Factory', 'Service'];
const EMPTY_NAME = new RegExp(`(^|[a-z0-9])(${EMPTY_WORDS.join('|')})$`);
const EMPTY_FILE = new RegExp(`(^|-)(${EMPTY_WORDS.join('|').toLowerCase()})(\\.|$)`);

/** A question about somebody, such as whether he is a manager, and what is done as one, end in the role's word. */
const QUESTION = /^(is|has|may|can|stays|becomes|needs|as|for)[A-Z]/;

const DECLARATIONS = new Set([
  'FunctionDeclaration',
  'ClassDeclaration',
  'VariableDeclarator',
  'TSTypeAliasDeclaration',
  'TSInterfaceDeclaration',
]);

const fileNames = lawForEach(
  'files and folders are named in kebab-case',
  'rename it with git mv: small letters, words joined by hyphens',
  (path) => !path.startsWith('.github/'),
  (source) =>
    source.path
      .split('/')
      .filter((part) => !NAMED_BY_OTHERS.has(part) && !KEBAB.test(part))
      .map((part) => ({ says: `the name ${part}` })),
);

const noEmptyWords = lawForEach(
  `no name ends in ${EMPTY_WORDS.join(', ')}`,
  'say what it does or is, in a word of docs/glossary.md',
  isCode,
  (source) => [...emptyFileName(source), ...emptyDeclarations(source)],
);

function emptyFileName(source: Source): Array<{ says: string }> {
  const file = source.path.split('/').at(-1) ?? '';
  return EMPTY_FILE.test(file) ? [{ says: `the file name ${file}` }] : [];
}

function emptyDeclarations(source: Source): Array<{ line: number; says: string }> {
  const found: Array<{ line: number; says: string }> = [];
  const program = source.program();
  if (program === undefined) return found;
  walk(program, (node) => {
    const id = node['id'];
    if (!DECLARATIONS.has(node.type) || !isNode(id) || id.type !== 'Identifier') return;
    const name = String(id['name']);
    if (!QUESTION.test(name) && EMPTY_NAME.test(name))
      found.push({ line: lineAt(source.text, node.start), says: `the name ${name}` });
  });
  return found;
}

const nothingLeftOver = lawForEach(
  'nothing is left for later in the code',
  'do it now, or open an issue and remove the mark',
  (path) => (isCode(path) || /\.(sql|css|sh)$/.test(path)) && !path.startsWith('test/tidy/'),
  (source) =>
    source.text
      .split('\n')
      .flatMap((text, index) => (/\b(TODO|FIXME|XXX)\b/.test(text) ? [{ line: index + 1, says: text.trim() }] : [])),
);

export const nameLaws: readonly Law[] = [fileNames, noEmptyWords, nothingLeftOver];
