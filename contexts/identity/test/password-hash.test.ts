import { describe, expect, it } from 'vitest';
import { hashPassword, hashQueue, passwordMatches } from '../src/password-hash.ts';

describe('hashing passwords', () => {
  it('given a password, when hashed twice, then the hashes differ, are argon2id, and both match', async () => {
    const [first, second] = [await hashPassword('a loaf of rye'), await hashPassword('a loaf of rye')];
    expect(first).not.toBe(second);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await passwordMatches('a loaf of rye', first)).toBe(true);
    expect(await passwordMatches('a loaf of rye', second)).toBe(true);
    expect(await passwordMatches('a loaf of Rye', first)).toBe(false);
  });

  it('given no hash, when any password is tried, then none matches', async () => {
    expect(await passwordMatches('', undefined)).toBe(false);
    expect(await passwordMatches('test', undefined)).toBe(false);
  });

  it('given something else where a hash should be, when checked, then it throws: the table is broken', async () => {
    await expect(passwordMatches('test', '$argon2i$v=19$m=1,t=1,p=1$AA$AA')).rejects.toThrow('PHC');
  });
});

describe('the queue before hashing', () => {
  it('given two places, when five works come, then never more than two run and all are done', async () => {
    const queue = hashQueue(2, 10);
    let running = 0;
    let most = 0;
    const works = Array.from({ length: 5 }, (_each, index) =>
      queue.run(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return index;
      }),
    );
    expect(await Promise.all(works)).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  it('given a full queue, when one more comes, then it is turned away, and later ones are taken', async () => {
    const queue = hashQueue(1, 1);
    const work = () => new Promise<string>((resolve) => setImmediate(() => resolve('done')));
    expect(await Promise.all([queue.run(work), queue.run(work), queue.run(work)])).toEqual(['done', 'done', undefined]);
    expect(await queue.run(work)).toBe('done');
  });

  it('given a work that fails, when the next comes, then its place is free', async () => {
    const queue = hashQueue(1, 1);
    await expect(queue.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await queue.run(async () => 'done')).toBe('done');
  });
});
