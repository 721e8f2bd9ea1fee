// Chromium for the end-to-end tests: one browser, a fresh context for each page. CHROMIUM names another than the system's.
import { chromium } from 'playwright-core';

const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGS });

/** How long a page may take to show something on a busy machine. Tests wait for conditions; this only ends them. */
export const PATIENCE = 60_000;

/** A page of the given size and colours; collects what goes wrong in it. */
export async function openPage(browser, { width = 1440, height = 900, colorScheme = 'light', context } = {}) {
  const own = context ?? (await browser.newContext({ viewport: { width, height }, colorScheme, locale: 'en-GB' }));
  const page = await own.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.problems = [];
  page.on('pageerror', (e) => page.problems.push(`error: ${e.message}`));
  page.on('console', (m) => { if (m.type() === 'error' && !/Failed to load resource|net::ERR/.test(m.text())) page.problems.push(`console: ${m.text()}`); });
  return page;
}

/** Waits until the page has drawn what it was asked for: no part of it says that it loads. */
export async function settled(page) {
  await page.locator('main h1, main .patient-head, main .card').first().waitFor();
  await page.waitForFunction(() => ![...document.querySelectorAll('.empty, [role=status]')].some((e) => /^(Loading|Waiting|Starting)/.test(e.textContent ?? '')));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 150))));
}
