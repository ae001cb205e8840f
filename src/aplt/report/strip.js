// No ampersand or less-than sign in here: a page is well-formed XML, too.

// A click on a chart, or on an event in it, moves the film there, and the playhead follows the film.
for (const strip of document.querySelectorAll(".strip")) {
  const chart = strip.querySelector("svg.events");
  const film = strip.querySelector("video");
  const head = chart.querySelector(".playhead");
  const [left, scale, start] = ["left", "scale", "start"].map((name) => parseFloat(chart.dataset[name]));
  const show = (seconds) => {
    const x = left + Math.max(0, seconds - start) * scale;
    for (const name of ["x1", "x2"]) head.setAttribute(name, x);
  };
  chart.addEventListener("click", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    const seconds = Math.max(start, start + (point.x - left) / scale);
    show(seconds);
    if (film) film.currentTime = seconds;
  });
  if (!film) continue;
  film.addEventListener("error", () => {
    film.hidden = true;
    strip.querySelector(".film .missing").hidden = false;
  });
  film.addEventListener("loadedmetadata", () => { if (start > 0) film.currentTime = start; });
  const follow = () => {
    show(film.currentTime);
    if (!film.paused) requestAnimationFrame(follow);
  };
  for (const name of ["play", "seeked", "timeupdate"]) film.addEventListener(name, follow);
}
