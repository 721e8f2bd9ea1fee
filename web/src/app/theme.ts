// Light, dark, or as the system: the choice is kept on this machine, `public/theme.js` applies it.
import { createSignal, onCleanup } from 'solid-js';

export type ThemeChoice = 'light' | 'dark' | 'system';
const KEY = 'vw-theme';
const ORDER: ThemeChoice[] = ['system', 'light', 'dark'];

const stored = (): ThemeChoice => {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
};
const [choice, setChoice] = createSignal<ThemeChoice>(stored());
export const themeChoice = choice;

export function chooseTheme(next: ThemeChoice): void {
  if (next === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  setChoice(next);
  (window as { vwApplyTheme?: () => void }).vwApplyTheme?.();
}

export const nextTheme = (): ThemeChoice => ORDER[(ORDER.indexOf(choice()) + 1) % ORDER.length] ?? 'system';

/** A signal that changes whenever the colours change, for what draws on a canvas. */
export function useTheme(): () => string {
  const [theme, setTheme] = createSignal(document.documentElement.dataset.theme ?? 'light');
  const heard = () => setTheme(document.documentElement.dataset.theme ?? 'light');
  window.addEventListener('vw-theme', heard);
  onCleanup(() => window.removeEventListener('vw-theme', heard));
  return theme;
}
