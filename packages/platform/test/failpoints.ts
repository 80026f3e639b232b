import type { Database, Query } from '../src/index.ts';

export type Failpoints = {
  /** What was done up to now, step by step, in all transactions. */
  readonly steps: string[];
  wrap(db: Database): Database;
};

/** Calls `act` at the step of that number, over all transactions of a database: before and after whatever is sent. */
export function failpoints(failAt: number, act: (step: string) => void | Promise<void>): Failpoints {
  const steps: string[] = [];

  async function step(name: string): Promise<void> {
    steps.push(name);
    if (steps.length - 1 === failAt) await act(name);
  }

  function watched(query: Query): Query {
    return {
      async query(statement, values) {
        await step(`before ${statement.name}`);
        const rows = await query.query(statement, values);
        await step(`after ${statement.name}`);
        // The rows are of the type that the caller asked for: they pass through untouched.
        return rows as never;
      },
    };
  }

  return {
    steps,
    wrap: (db) => ({
      ...db,
      async withTx(work, seal) {
        await step('before begin');
        const value = await db.withTx(
          (tx) => work({ ...watched(tx), append: tx.append }),
          seal && ((query, events) => seal(watched(query), events)),
        );
        await step('after commit');
        return value;
      },
    }),
  };
}

/** The database is gone, as far as anybody can tell. */
export function connectionLost(): Error {
  return Object.assign(new Error('Lost at a failpoint'), { code: '08006' });
}
