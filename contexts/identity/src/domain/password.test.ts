import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choosePassword, normalisePassword } from './password.ts';

const EMAIL = 'Cleo.Crumb@example.com';

describe('choosing a password', () => {
  it.each([
    ['too short', 'short7!', 'password-too-short'],
    ['too long', 'x1'.repeat(101), 'password-too-long'],
    ['the address, in other letters', 'cleo.crumb@EXAMPLE.com', 'password-is-the-email'],
    ['the address before the @', 'CLEO.CRUMB', 'password-is-the-email'],
    ['what everybody tries first', 'PassWord', 'password-is-easily-guessed'],
    ['one sign again and again', 'aaaaaaaaaa', 'password-is-easily-guessed'],
  ])('given %s, when it is chosen, then it is refused', (_case, password, kind) => {
    expect(choosePassword(password, EMAIL)).toEqual({ ok: false, refusal: { kind } });
  });

  it('given eight signs outside the plane of letters, when chosen, then signs are counted and not their halves', () => {
    expect(choosePassword('🍩🥐🍞🥖🥨🥯🧁', EMAIL)).toMatchObject({
      ok: false,
      refusal: { kind: 'password-too-short' },
    });
    expect(choosePassword('🍩🥐🍞🥖🥨🥯🧁🍰', EMAIL)).toMatchObject({ ok: true });
  });

  it('given the same letters composed differently, when normalised, then it is one password', () => {
    expect(normalisePassword('cafe\u0301')).toBe(normalisePassword('caf\u00e9'));
  });

  it('given any text, when it is chosen, then what is accepted has 8 to 200 signs and is not the address', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 230 }), (text) => {
        const chosen = choosePassword(text, EMAIL);
        if (!chosen.ok) return;
        expect(Array.from(chosen.value).length).toBeGreaterThanOrEqual(8);
        expect(Array.from(chosen.value).length).toBeLessThanOrEqual(200);
        expect(chosen.value.toLowerCase()).not.toBe(EMAIL.toLowerCase());
      }),
    );
  });
});
