// Says on the page whether what it shows is kept up to date, and keeps "5 min ago" true.
(() => {
    const say = (word) => () => { document.documentElement.dataset.live = word; };
    document.addEventListener("htmx:sse:after:connection", say("on"));
    document.addEventListener("htmx:sse:error", say("lost"));
    document.addEventListener("htmx:sse:close", say("off"));

    const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const ago = (seconds) => {
        const length = Math.abs(seconds);
        if (length < 1) return "now";
        const [size, unit] = UNITS.find(([size]) => length >= size);
        const text = `${Math.floor(length / size)} ${unit}`;
        return seconds > 0 ? `${text} ago` : `in ${text}`;
    };
    const refresh = () => {
        for (const time of document.querySelectorAll("time[data-ago]")) {
            const text = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
            if (time.textContent !== text) time.textContent = text;
        }
    };
    setInterval(refresh, 5000);
})();
