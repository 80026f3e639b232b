import { describe, expect, test } from 'vitest';
import { revisedSite, type Site, siteDefined, siteFrom, siteView } from './site.ts';

const draft = {
  name: 'Corner Bakery',
  kind: 'shop',
  timeZone: 'Europe/Berlin',
  opensAt: '07:00',
  closesAt: '18:00',
  currency: 'EUR',
} as const;
const site: Site = { id: 'site-1', ...draft, freeVend: false };

function pointersOf(result: ReturnType<typeof siteFrom>): string[] {
  return result.ok ? [] : result.refusal.faults.map(({ pointer }) => pointer);
}

describe('a site', () => {
  test('given a good draft, when opened, then it takes money unless said otherwise', () => {
    expect(siteFrom('site-1', draft)).toEqual({ ok: true, value: site });
    expect(siteFrom('site-1', { ...draft, freeVend: true })).toEqual({ ok: true, value: { ...site, freeVend: true } });
  });

  test('given 00:00 and 24:00, when opened, then it is open around the clock', () => {
    expect(siteFrom('site-1', { ...draft, opensAt: '00:00', closesAt: '24:00' }).ok).toBe(true);
  });

  test.each([
    [{ opensAt: '18:00', closesAt: '18:00' }, '/closesAt'],
    [{ opensAt: '22:00', closesAt: '06:00' }, '/closesAt'],
    [{ opensAt: '7:00' }, '/opensAt'],
    [{ opensAt: '24:00', closesAt: '24:00' }, '/opensAt'],
    [{ closesAt: '25:00' }, '/closesAt'],
    [{ timeZone: 'Europe/Nowhere' }, '/timeZone'],
    [{ currency: 'ABC' }, '/currency'],
  ])('given %j, when opened or changed, then it is refused at %s', (change, pointer) => {
    expect(pointersOf(siteFrom('site-1', { ...draft, ...change }))).toContain(pointer);
    expect(pointersOf(revisedSite(site, change))).toContain(pointer);
  });

  test('given several faults, when opened, then all are told at once', () => {
    const bad = { ...draft, timeZone: 'Mars/Base', closesAt: '06:00', currency: 'QQQ' };
    expect(pointersOf(siteFrom('site-1', bad))).toEqual(['/timeZone', '/closesAt', '/currency']);
  });

  test('given a patch of one member, when changed, then the others stay and null clears', () => {
    expect(revisedSite(site, { closesAt: '20:00' })).toEqual({ ok: true, value: { ...site, closesAt: '20:00' } });
    expect(revisedSite({ ...site, freeVend: true }, { freeVend: null })).toEqual({ ok: true, value: site });
    expect(revisedSite({ ...site, freeVend: true }, { name: 'A' })).toEqual({
      ok: true,
      value: { ...site, freeVend: true, name: 'A' },
    });
  });

  test('given a closing that only fits the old opening, when both change, then they are judged together', () => {
    expect(revisedSite(site, { opensAt: '19:00', closesAt: '23:00' }).ok).toBe(true);
    expect(revisedSite(site, { opensAt: '19:00' }).ok).toBe(false);
  });

  test('given a site, when said and shown, then all of it is, the id by its name', () => {
    const { id, ...rest } = site;
    expect(siteDefined(site)).toEqual({
      ...{ type: 'catalog.site-defined.v1', key: id, subject: id },
      data: { siteId: id, ...rest },
    });
    expect(siteView(site)).toEqual(site);
  });
});
