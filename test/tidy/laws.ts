import { importLaws } from './import-laws.ts';
import type { Law } from './law.ts';
import { nameLaws } from './name-laws.ts';
import { purityLaws } from './purity-laws.ts';
import { sizeLaws } from './size-laws.ts';
import { sqlLaws } from './sql-laws.ts';
import { treeLaws } from './tree-laws.ts';

export const laws: readonly Law[] = [...importLaws, ...sqlLaws, ...purityLaws, ...sizeLaws, ...nameLaws, ...treeLaws];
