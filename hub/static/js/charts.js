// Chart.js, in the colours of the tokens, over the JSON that follows a canvas.

import "../vendor/chart.js";
import { fresh } from "./words.js";

const { Chart } = window;
const drawn = new Map();
const lang = document.documentElement.lang;

export function wire(root) {
  for (const canvas of fresh(root, "canvas[data-chart]", "charts")) draw(canvas);
}

function draw(canvas) {
  drawn.get(canvas)?.destroy();
  const data = JSON.parse(canvas.parentElement.querySelector("script[type='application/json']").textContent);
  drawn.set(canvas, new Chart(canvas, config(data)));
}

function config(data) {
  const color = tokens();
  const shown = formatter(data);
  Chart.defaults.font = { family: "Onest, system-ui, sans-serif", size: 12 };
  Chart.defaults.color = color("--ink-3");
  return {
    type: data.type === "bar" ? "bar" : "line",
    data: { labels: data.labels, datasets: data.series.map((serie, at) => dataset(serie, at, data.type, color)) },
    options: {
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { grid: { display: false }, ticks: { maxRotation: 0, maxTicksLimit: 8 }, border: { color: color("--line") }, stacked: Boolean(data.stacked) },
        y: {
          position: "right", beginAtZero: true, stacked: Boolean(data.stacked), border: { display: false },
          grid: { color: color("--line") }, ticks: { maxTicksLimit: 5, callback: (value) => shown(value, true) },
        },
      },
      plugins: {
        legend: { display: data.series.length > 1, position: "bottom", align: "start", labels: { boxWidth: 12, boxHeight: 12, useBorderRadius: true, borderRadius: 3, generateLabels: keys } },
        tooltip: { callbacks: { label: ({ dataset, parsed }) => `${dataset.label}: ${shown(parsed.y)}` } },
      },
    },
  };
}

/** A dashed line still has a plain square for its key. */
function keys(chart) {
  const labels = Chart.defaults.plugins.legend.labels.generateLabels(chart);
  return labels.map((label) => ({ ...label, lineDash: [], lineWidth: 0 }));
}

function dataset(serie, at, type, color) {
  const main = color(at === 0 ? "--accent" : at === 1 ? "--serie-2" : "--saffron");
  const line = { borderWidth: at ? 2 : 2.25, pointRadius: 0, pointHitRadius: 12, tension: 0, borderDash: serie.dashed ? [4, 4] : [] };
  const bar = { borderRadius: 3, maxBarThickness: 28 };
  return { label: serie.label, data: serie.values, borderColor: main, backgroundColor: main, ...(type === "bar" ? bar : line) };
}

/** Money comes in minor units; everything else as it is. */
function formatter({ money, exponent = 2, percent }) {
  const style = money ? { style: "currency", currency: money } : percent ? { style: "percent" } : {};
  const full = new Intl.NumberFormat(lang, style);
  const short = new Intl.NumberFormat(lang, { ...style, notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0 });
  const scale = money ? 10 ** exponent : 1;
  return (value, brief = false) => (brief ? short : full).format(value / scale);
}

/** Canvas knows no light-dark(): a probe element tells what a token is right now. */
function tokens() {
  const probe = document.body.appendChild(document.createElement("span"));
  const styles = getComputedStyle(probe);
  const found = (name) => {
    probe.style.color = `var(${name})`;
    return styles.color;
  };
  requestAnimationFrame(() => probe.remove());
  return found;
}

document.addEventListener("hub:theme", () => drawn.forEach((_, canvas) => draw(canvas)));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((_, canvas) => draw(canvas)));
