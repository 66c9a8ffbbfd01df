// Runs before anything is drawn, so that the page does not change its colours while it loads.
{
  const theme = localStorage.getItem("tagger-theme");
  if (theme) document.documentElement.dataset.theme = theme;
}
