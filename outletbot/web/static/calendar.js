/* Drags a deal along the days of the calendar, in quarters of an hour.

   data-opens, data-form   a bar: when its deal opens, and the form that moves it
   data-day, -end, -zone   a line: the instants between which it lies, and whose time
                           the label shows on it while a bar is over it

   All instants are milliseconds since 1970. Without it the forms do the same. */

const QUARTER = 15 * 60 * 1000;
let form = null;
let grip = 0;

for (const line of document.querySelectorAll("[data-day]")) {
  const { day, end, zone: timeZone } = line.dataset;
  const at = ({ clientX }) => {
    const { left, width } = line.getBoundingClientRect();
    return +day + ((clientX - left) / width) * (end - day);
  };
  line.ondragstart = (event) => {
    const bar = event.target.closest?.("[data-opens]");
    form = bar && document.getElementById(bar.dataset.form);
    grip = bar && at(event) - bar.dataset.opens;
  };
  line.ondragend = () => (form = null);
  line.ondragleave = () => (line.dataset.at = "");
  line.ondragover = line.ondrop = (event) => {
    if (!form) return;
    event.preventDefault();
    const to = new Date(Math.round((at(event) - grip) / QUARTER) * QUARTER);
    line.dataset.at = to.toLocaleTimeString("en-GB", { timeZone, timeStyle: "short" });
    if (event.type !== "drop") return;
    form.elements.at.value = +to;
    form.submit();
  };
}
