// Chooses light or dark before the first paint. `vw-theme` is `light`, `dark` or absent (as the system).
(function () {
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  function apply() {
    var chosen = null;
    try { chosen = localStorage.getItem('vw-theme'); } catch (e) { /* storage is off */ }
    var theme = chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light';
    document.documentElement.dataset.theme = theme;
    window.dispatchEvent(new CustomEvent('vw-theme', { detail: theme }));
  }
  dark.addEventListener('change', apply);
  window.vwApplyTheme = apply;
  apply();
})();
