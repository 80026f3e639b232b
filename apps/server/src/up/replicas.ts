import { CONTEXT_NAMES, type ContextName } from '@provender/contracts';

/** How many processes there are of each context. */
export type Replicas = Readonly<Record<ContextName, number>>;

export const REPLICAS_MAX = 8;

/** The same number of each. */
export function replicasOfEach(count: number): Replicas {
  // Object.fromEntries forgets which keys it was given.
  return Object.fromEntries(CONTEXT_NAMES.map((context) => [context, count])) as Replicas;
}

/** `2` is two of each, `orders=2,bank=3` so many of these and one of every other. Undefined for anything else. */
export function parseReplicas(text: string): Replicas | undefined {
  const each = countOf(text);
  if (each !== undefined) return replicasOfEach(each);
  const replicas: Record<ContextName, number> = { ...replicasOfEach(1) };
  for (const pair of text.split(',')) {
    const [name = '', ...rest] = pair.split('=');
    const context = CONTEXT_NAMES.find((known) => known === name);
    const count = countOf(rest.join('='));
    if (context === undefined || count === undefined) return undefined;
    replicas[context] = count;
  }
  return replicas;
}

function countOf(text: string): number | undefined {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= REPLICAS_MAX ? count : undefined;
}
