// What axe finds on what is shown now, in all colours and sizes.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Colours and sizes in which pages are looked at. */
export const LOOKS = [['light', 1440, 900], ['dark', 1440, 900], ['dark', 390, 844], ['light', 390, 844]];

async function violations(page) {
  // The page's policy allows no inline script: axe goes in through the debugger, as a person's extension would.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const result = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags, resultTypes: ['violations'] }), TAGS);
  return result.violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary?.split('\n').slice(1, 2).join('').trim()}`));
}

/** Looks at what is shown now in all colours and sizes; gives what is wrong. */
export async function look(page, where) {
  const found = [];
  for (const [colorScheme, width, height] of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100))));
    found.push(...(await violations(page)).map((v) => `${where}, ${colorScheme}, ${width} px: ${v}`));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) found.push(`${where}, ${width} px: ${wide} px too wide`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  return found;
}
