// `npm run fixtures`: makes a fixture for each event that has none, and adds what is new to the list of released ones.
// A fixture that stands in the list is never touched. See packages/contracts/fixtures/README.md.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventSchemas } from '@provender/contracts';
import { asyncApi } from '@provender/platform';

const folder = fileURLToPath(new URL('../packages/contracts/fixtures/', import.meta.url));
const list = `${folder}released.sha256`;
const A_SITE = '01a1fd45-7daa-7e81-8ab6-a359f991658e';

/** The example of an event in the AsyncAPI document, which is made from its schema. */
function exampleData(type: string): unknown {
  // The document is plain JSON of our own making: a message for each type, with one example in it.
  const document = asyncApi() as unknown as Document;
  return document.components.messages[type]?.examples[0]?.payload.data;
}

type Message = { readonly examples: readonly { readonly payload: { readonly data: unknown } }[] };
type Document = { readonly components: { readonly messages: Readonly<Record<string, Message | undefined>> } };

for (const type of Object.keys(eventSchemas)) {
  const file = `${folder}${type}.json`;
  if (existsSync(file)) continue;
  const event = {
    source: type.slice(0, type.indexOf('.')),
    position: 1_000,
    id: `01a1fd45-7e32-7000-8000-${createHash('sha256').update(type).digest('hex').slice(0, 12)}`,
    type,
    key: A_SITE,
    subject: A_SITE,
    time: '2026-11-21T15:00:00.000Z',
    data: exampleData(type),
  };
  writeFileSync(file, `${JSON.stringify(event, null, 2)}\n`);
  console.log(`made ${type}.json: look whether its key, subject and data are what is really said`);
}

const listed = existsSync(list) ? readFileSync(list, 'utf8') : '';
const added = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && !listed.includes(`  ${name}\n`))
  .sort()
  .map(
    (name) =>
      `${createHash('sha256')
        .update(readFileSync(`${folder}${name}`))
        .digest('hex')}  ${name}\n`,
  );
writeFileSync(
  list,
  [...listed.split(/(?<=\n)/), ...added].sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join(''),
);
console.log(`${added.length} added to released.sha256`);
