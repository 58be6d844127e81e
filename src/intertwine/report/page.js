"use strict";
(() => {
  const templates = JSON.parse(document.getElementById("templates").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 640px)");
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  };

  // plotly.js names its clip paths at random; the same run shall give the same page, drawing included.
  let state = 1;
  Math.random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };

  async function draw(place) {
    const { data, layout } = JSON.parse(document.getElementById(place.dataset.plot).textContent);
    layout.template = templates[dark.matches ? "dark" : "light"];
    layout.autosize = true;
    if (narrow.matches) Object.assign(layout, { font: { size: 11 }, margin: { l: 4, r: 8, t: 8, b: 4 } });
    place.style.height = `${Math.min(Number(place.dataset.height), narrow.matches ? 480 : 900)}px`;
    try {
      await Plotly.react(place, data, layout, { ...config, displayModeBar: narrow.matches ? false : "hover" });
      place.dataset.drawn = "yes";
    } catch (error) {
      place.textContent = `This figure could not be drawn: ${error}`;
    }
  }

  async function drawAll() {
    for (const place of document.querySelectorAll(".plot")) await draw(place);
  }

  dark.addEventListener("change", drawAll);
  narrow.addEventListener("change", drawAll);
  drawAll();
})();
