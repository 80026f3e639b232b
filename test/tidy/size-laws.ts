import { type Law, lawForEach } from './law.ts';
import { dottedName, isCode, isNode, isTest, lineAt, type Node, type Source, walk } from './source.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
const LINE_CHARACTERS_MAX = 120;

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

function isWritten(path: string): boolean {
  return isCode(path) || /\.(sql|css)$/.test(path) || path === '.ci/run';
}

/** A suite's body is a list of tests and not a function to be understood as a whole. */
function isSuite(node: Node, parent: Node | undefined): boolean {
  if (parent?.type !== 'CallExpression') return false;
  const callee = isNode(parent['callee']) && parent['callee'].type === 'CallExpression' ? parent['callee'] : parent;
  return parent['callee'] !== node && /^(describe([A-Z]\w*)?|suite)(\.|$)/.test(dottedName(callee['callee']) ?? '');
}

/** A function with a name, which stands for itself wherever it is written: declared, a constant's value or a method. */
function isNamed(node: Node, parent: Node | undefined): boolean {
  if (!FUNCTIONS.has(node.type)) return false;
  if (node.type === 'FunctionDeclaration') return true;
  return parent !== undefined && /^(VariableDeclarator|Property|MethodDefinition)$/.test(parent.type);
}

/** Lines of a function, less those of the named functions within it, which are measured by themselves. */
function ownLines(source: Source, node: Node): number {
  let within = 0;
  walk(node, (inner, parents) => {
    const nested = parents.some((parent, depth) => depth > 0 && isNamed(parent, parents[depth - 1]));
    if (inner === node || nested || !isNamed(inner, parents.at(-1))) return;
    within += Math.max(0, linesOf(source, inner) - 1);
  });
  return linesOf(source, node) - within;
}

function linesOf(source: Source, node: Node): number {
  return lineAt(source.text, node.end) - lineAt(source.text, node.start) + 1;
}

function longFunctions(source: Source): Array<{ line: number; says: string }> {
  const program = source.program();
  const found: Array<{ line: number; says: string }> = [];
  if (program === undefined) return found;
  walk(program, (node, parents) => {
    if (!FUNCTIONS.has(node.type) || (isTest(source.path) && isSuite(node, parents.at(-1)))) return;
    if (linesOf(source, node) <= FUNCTION_LINES_MAX) return;
    const lines = ownLines(source, node);
    if (lines > FUNCTION_LINES_MAX) {
      found.push({ line: lineAt(source.text, node.start), says: `a function of ${lines} lines` });
    }
  });
  return found;
}

/** A test's title is one sentence, which no formatter can break. */
function isTitle(source: Source, line: string): boolean {
  return isTest(source.path) && /^\s*(test|it|describe)(\.\w+)?(\(.*\))?\(['`]/.test(line);
}

const fileLength = lawForEach(
  `a file has at most ${FILE_LINES_MAX} lines`,
  'split it by what changes together',
  isWritten,
  (source) => {
    const lines = source.text.split('\n').length - 1;
    return lines > FILE_LINES_MAX ? [{ says: `${lines} lines` }] : [];
  },
);

const functionLength = lawForEach(
  `a function has at most ${FUNCTION_LINES_MAX} lines`,
  'give a part of it a name of its own',
  isCode,
  longFunctions,
);

const lineLength = lawForEach(
  `a line has at most ${LINE_CHARACTERS_MAX} characters, a test's title aside`,
  'break it: npm run format does most of it, long texts are for the hand',
  isWritten,
  (source) =>
    source.text.split('\n').flatMap((text, index) => {
      const characters = Array.from(text).length;
      return characters > LINE_CHARACTERS_MAX && !isTitle(source, text)
        ? [{ line: index + 1, says: `${characters} characters` }]
        : [];
    }),
);

export const sizeLaws: readonly Law[] = [fileLength, functionLength, lineLength];
