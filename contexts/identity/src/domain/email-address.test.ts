import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emailKey } from './email-address.ts';

describe('the key of an e-mail address', () => {
  it('given two spellings in different case, when keyed, then they are one account', () => {
    expect(emailKey('Ada@Example.COM')).toBe(emailKey(' ada@example.com'));
  });

  it.each(['ada\0@example.com', 'ada\ud800@example.com'])(
    'given what no database can hold, when keyed, then it is nobody',
    (email) => expect(emailKey(email)).toBeUndefined(),
  );

  it('given any text, when keyed twice, then the second time changes nothing', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (email) => {
        const key = emailKey(email) ?? '';
        expect(emailKey(key)).toBe(key);
        expect(emailKey(email.toUpperCase())).toBe(key);
      }),
    );
  });
});
