"""The class path of Apache Kafka (pom.xml), resolved once by Maven and kept in .cache/kafka.

The answer is reused as long as pom.xml is unchanged and every jar that it names is still there.
Without a JDK or Maven the caller gets `KafkaUnavailable`, whose text says what to install.
"""

import hashlib
import shutil
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "kafka"
ATTEMPTS_MAX = 3
RESOLVE_SECONDS_MAX = 300


class KafkaUnavailable(RuntimeError):
    """Real Kafka cannot be had on this machine; the text says why and what to do."""


def java_command() -> str:
    """The path of the `java` program."""
    java = shutil.which("java")
    if java is None:
        raise KafkaUnavailable(
            "no java on PATH: install a JDK, e.g. apt-get install openjdk-17-jdk-headless"
        )
    return java


def class_path() -> str:
    """Class path of Kafka's server, tools, Streams and Connect; resolved at the first call."""
    pom = HERE / "pom.xml"
    stamp = hashlib.sha256(pom.read_bytes()).hexdigest()
    answer = CACHE / f"classpath-{stamp[:12]}.txt"
    if answer.exists():
        jars = answer.read_text().strip()
        if jars and all(Path(jar).exists() for jar in jars.split(":")):
            return jars
    return _resolve(pom, answer)


def _resolve(pom: Path, answer: Path) -> str:
    java_command()
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable("no mvn on PATH: install Maven, e.g. apt-get install maven")
    CACHE.mkdir(parents=True, exist_ok=True)
    scratch = answer.with_suffix(".part")
    command = [
        maven,
        "-B",
        "-q",
        "-ntp",
        "-f",
        str(pom),
        "dependency:build-classpath",
        f"-Dmdep.outputFile={scratch}",
        "-Dmdep.includeScope=runtime",
    ]
    said = ""
    for attempt in range(ATTEMPTS_MAX):
        if attempt:
            time.sleep(5 * attempt)
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=RESOLVE_SECONDS_MAX
            )
        except subprocess.TimeoutExpired:
            said = f"no answer in {RESOLVE_SECONDS_MAX} s"
            continue
        if run.returncode == 0 and scratch.exists():
            scratch.replace(answer)
            return answer.read_text().strip()
        said = (run.stdout + run.stderr).strip()[-2000:]
    raise KafkaUnavailable(f"Maven could not resolve {pom} in {ATTEMPTS_MAX} attempts: {said}")


if __name__ == "__main__":
    try:
        print(f"real Kafka: {len(class_path().split(':'))} jars, listed in {CACHE}")
    except KafkaUnavailable as unavailable:
        raise SystemExit(f"kafka_jars: {unavailable}") from None
