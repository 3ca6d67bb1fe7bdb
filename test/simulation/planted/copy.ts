import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { pathInCheckout } from '../../support/root.ts';
import type { Bug } from './bugs.ts';

const BUILD = pathInCheckout('build/');
/** What the simulation needs of the compiled product. */
const NEEDED = ['app', 'broker', 'core', 'dashboards', 'devices-sim', 'processors', 'client'];
const TESTS = ['simulation', 'support'];

/** Copies the compiled product, with a bug in it. @returns the folder of the copy, and a function that removes it */
export function copyWith({ name, file, find, replace }: Bug): { folder: string; remove: () => void } {
  const source = readFileSync(pathInCheckout(file), 'utf8');
  const times = source.split(find).length - 1;
  if (times !== 1) {
    const what = `${file} has the text to be replaced ${times} times, not once`;
    throw new Error(`cannot plant “${name}”: ${what}; change test/simulation/planted/bugs.ts:\n${find}`);
  }
  const root = mkdtempSync(join(BUILD, 'planted-'));
  const folder = join(root, 'build');
  cpSync(pathInCheckout('package.json'), join(root, 'package.json'));
  for (const part of NEEDED) cpSync(join(BUILD, part), join(folder, part), { recursive: true });
  for (const part of TESTS) cpSync(join(BUILD, 'test', part), join(folder, 'test', part), { recursive: true });
  const { outputText } = ts.transpileModule(
    source.replace(find, () => replace),
    {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    },
  );
  writeFileSync(join(folder, file.replace(/ts$/, 'js')), outputText);
  return { folder, remove: () => rmSync(root, { recursive: true, force: true }) };
}
