// What axe finds on what is shown now, in all colours and sizes.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Colours and sizes in which pages are looked at. */
export const LOOKS = [['light', 1440, 900], ['dark', 1440, 900], ['dark', 390, 844], ['light', 390, 844]];

async function run(page) {
  // The page's policy allows no inline script: axe goes in through the debugger, as a person's extension would.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const result = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: tags, resultTypes: ['violations'] }), TAGS);
  return result.violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => ({ where: `${v.id}: ${n.target.join(' ')}`, why: n.failureSummary?.split('\n').slice(1, 2).join('').trim() })));
}

async function violations(page) {
  let found = await run(page);
  // What happens to lie half under the bar that stays in place is hit once one scrolls: only what is too small wherever it stands counts.
  if (found.some((v) => v.why?.includes('obscured'))) {
    await page.evaluate(() => scrollBy(0, scrollY > 150 ? -150 : 150));
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100))));
    const again = new Set((await run(page)).map((v) => v.where));
    found = found.filter((v) => !v.why?.includes('obscured') || again.has(v.where));
  }
  return found.map((v) => `${v.where} ${v.why}`);
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
